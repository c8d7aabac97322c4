import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { QueryBus } from '@nestjs/cqrs';
import { FIRST_TENANT } from '#libs/access/first-keys.js';
import type { BusMessage } from '#libs/bus';
import { interactions, profiles, type Intake } from '#libs/channels/ingest/inbound.js';
import { HubError, codeOf, instantMs, isRetryable, messageOf, toInstant } from '#libs/kernel';
import { readSettings } from '#libs/kernel/settings.js';
import { FindCustomersQuery } from '#libs/queries';
import {
  SHOWCASE_IDENTIFIER,
  demoInteractions,
  demoProfiles,
  demoTrickle,
  seeded,
  type DemoInteraction,
} from './demo/index.js';
import { startHub, type RunningHub } from './start-hub.js';

const BATCH = 200;
const DEFAULT_TRICKLE_MS = 4000;
const SHOWN_WITHIN_MS = 60_000;
const YEAR_MS = 366 * 86_400_000;

const say = (line = ''): void => void process.stdout.write(`${line}\n`);

const fail = (error: unknown): never => {
  for (const line of messageOf(error).split('\n')) process.stderr.write(`hilo demo: ${line}\n`);
  process.exit(1);
};

/** Milliseconds between two live contacts; 0: none. */
const trickleMs = (): number => {
  const text = process.env.HILO_DEMO_TRICKLE_MS ?? '';
  if (text === '') return DEFAULT_TRICKLE_MS;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new HubError(
    'SETTINGS.INVALID',
    `HILO_DEMO_TRICKLE_MS: "${text}" is no number of milliseconds; use for example 4000, or 0 for none`,
  );
};

/** The message of an item that is known to be good. */
const messageFor = ({ parts }: RunningHub, intake: Intake, item: object, receivedAt: string): BusMessage => {
  const edge = { tenant: FIRST_TENANT, nowMs: parts.clock.nowMs(), receivedAt, ids: parts.log.ids };
  const message = intake.read(item, edge);
  if (message) return message;
  throw new HubError(
    'DEMO.INVALID',
    intake
      .explain(item, '$', edge)
      .map(({ path, message: m }) => `${path} ${m}`)
      .join('\n'),
  );
};

/** Each contact arrives right after it is over, but never before the one that the hub heard of earlier. */
const withArrival = (year: readonly DemoInteraction[]): { item: DemoInteraction; receivedAt: string }[] => {
  let latestMs = 0;
  return year.map((item) => {
    latestMs = Math.max(latestMs, instantMs(item.endedAt ?? item.occurredAt) + 2000);
    return { item, receivedAt: toInstant(latestMs) };
  });
};

const load = async (hub: RunningHub, now: Date): Promise<number> => {
  const begin = toInstant(now.getTime() - YEAR_MS);
  const messages = [
    ...demoProfiles().map((item) => messageFor(hub, profiles, item, begin)),
    ...withArrival(demoInteractions(now)).map(({ item, receivedAt }) =>
      messageFor(hub, interactions, item, receivedAt),
    ),
  ];
  for (let at = 0; at < messages.length; at += BATCH) await hub.parts.bus.publish(messages.slice(at, at + BATCH));
  return messages.length;
};

/** Waits until the timelines show everything, the links that follow from it too. */
const shown = async ({ parts }: RunningHub): Promise<void> => {
  const deadlineMs = Date.now() + SHOWN_WITHIN_MS;
  for (let last = -1; ;) {
    const head = await parts.log.events.head();
    if (head === last) return;
    if (!(await parts.progress.reached(head, deadlineMs - Date.now())))
      throw new HubError('DEMO.TIMEOUT', 'the timelines did not catch up within a minute; is the machine very busy?');
    last = head;
    await sleep(250);
  }
};

const announce = async ({ app, parts, url, firstKeys }: RunningHub, loaded: number, everyMs: number): Promise<void> => {
  const identifier = `${SHOWCASE_IDENTIFIER.type}:${SHOWCASE_IDENTIFIER.value}`;
  const { items } = await app.get(QueryBus).execute(new FindCustomersQuery(FIRST_TENANT, identifier));
  const [customer] = items;
  if (!customer) throw new HubError('DEMO.INVALID', `nobody is known by ${identifier}`);
  const key = firstKeys.keys?.[FIRST_TENANT]?.agent ?? '';
  const curl = `curl -s -H 'authorization: Bearer ${key}'`;
  say();
  say(`Hilo shows a year of Casa Lumbre, a shop that does not exist: ${loaded} records and contacts.`);
  say();
  say(`  address     ${url}`);
  say(`  API page    ${url}/docs`);
  say(`  agent key   ${key}`);
  say();
  say(
    `${customer.name ?? 'One customer'} got in touch ${customer.interactions} times on ${Object.keys(customer.channels).length} channels:`,
  );
  say();
  say(`  ${curl} '${url}/v1/customers/${customer.id}/timeline?limit=100'`);
  say();
  say(
    'Look for the throw that does not come, the promise that nobody kept, and the letter about it, which came days after',
  );
  say(
    'it was written ("late": true). Messages, logins, visits and a record of the CRM name her differently; the hub found',
  );
  say('out that they are one. Who she is, and what happens to her from now on:');
  say();
  say(`  ${curl} '${url}/v1/customers?identifier=${identifier}'`);
  say(`  ${curl} -N '${url}/v1/customers/${customer.id}/timeline/stream'`);
  say();
  if (everyMs > 0) say(`Somebody gets in touch every ${everyMs / 1000} s (HILO_DEMO_TRICKLE_MS).`);
  say(`The data lies in ${parts.settings.dataDir} and is gone when you press Ctrl-C.`);
};

const trickle = async (hub: RunningHub, everyMs: number, signal: AbortSignal): Promise<void> => {
  const random = seeded(Date.now());
  while (everyMs > 0 && !signal.aborted) {
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const now = new Date();
    try {
      await hub.parts.bus.publish([messageFor(hub, interactions, demoTrickle(random, now), now.toISOString())]);
    } catch (error) {
      if (!isRetryable(error)) throw error;
    }
  }
};

const dataDir = mkdtempSync(join(tmpdir(), 'hilo-demo-'));
process.on('exit', () => rmSync(dataDir, { recursive: true, force: true }));

const stopping = new AbortController();
let hub: RunningHub | undefined;
const stop = (code: number): void => {
  if (stopping.signal.aborted) process.exit(code || 1);
  stopping.abort();
  void (hub?.close() ?? Promise.resolve()).then(() => process.exit(code), fail);
};
process.on('SIGINT', () => stop(0));
process.on('SIGTERM', () => stop(0));

try {
  const everyMs = trickleMs();
  const settings = readSettings({ ...process.env, HILO_DATA_DIR: dataDir });
  hub = await startHub(settings, {
    program: 'demo',
    onFailure: (error) => {
      process.stderr.write(`hilo demo: ${messageOf(error)}\n`);
      stop(1);
    },
  }).catch((error: unknown) => {
    if (codeOf(error) !== 'EADDRINUSE') throw error;
    throw new HubError(
      'SETTINGS.INVALID',
      `HILO_PORT: ${settings.port} is taken; set it to a free port, or to 0 for any`,
    );
  });
  const loaded = await load(hub, new Date());
  await shown(hub);
  await announce(hub, loaded, everyMs);
  await trickle(hub, everyMs, stopping.signal);
} catch (error) {
  if (!stopping.signal.aborted) fail(error);
}
