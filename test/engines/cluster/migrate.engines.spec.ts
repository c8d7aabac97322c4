import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ErasureDto } from '#libs/commands/erasure/erasure.dto.js';
import type { LinkOutcomeDto } from '#libs/commands/links/links.dto.js';
import { HubClient } from '../../e2e/hub-client.js';
import { HubProcess, hilo, hiloWith, temporaryDirectory, type CliRun, type Role } from '../../e2e/hub-process.js';
import { DIST, environment } from '../../e2e/spawned-program.js';
import { eventually, within } from '../../e2e/waiting.js';
import { ELSEWHERE, inServerFiles } from '../postgres/server-files.js';
import { Cluster } from './cluster.js';

jest.setTimeout(400_000);

const STEPS = 6;
const CLI = join(DIST, 'apps', 'cli', 'src', 'main.js');

const ANA = ['email:ana@example.com', 'phone:+34600000001'];
const [BEA, CARLA, IDA] = ['email:bea@example.com', 'email:carla@example.com', 'email:ida.rotschwanz@example.com'];
const PARTED = 'email:ann@example.com';

let serial = 0;
const contact = (identifiers: string[], over: object = {}): Record<string, unknown> => ({
  channel: 'email',
  account: 'care@acme.example',
  externalId: `contact-${++serial}`,
  threadId: `thread-of-${identifiers[0]}`,
  kind: 'message',
  occurredAt: new Date(Date.UTC(2026, 2, 1, 0, 0, serial)).toISOString(),
  customer: {
    identifiers: identifiers.map((text) => ({ type: text.split(':')[0], value: text.slice(text.indexOf(':') + 1) })),
    name: `who has ${identifiers[0]}`,
  },
  text: `said in contact ${serial}`,
  ...over,
});

const must = async <Body>(asked: Promise<{ status: number; text: string; body: Body }>): Promise<Body> => {
  const { status, text, body } = await asked;
  if (status > 201) throw new Error(`answered ${status}: ${text}`);
  return body;
};

/** Without what counts bytes on one engine and events on another. */
const withoutPositions = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutPositions);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !/position|cursor|^next$|^previous$/i.test(name))
      .map(([name, inner]) => [name, withoutPositions(inner)]),
  );
};

interface Said {
  /** Contacts as they were handed over. */
  repeated: Record<string, unknown>;
  conflict: string;
  erasedCustomer: string;
  erasure: string;
  receipts: string[];
}

type ClientOf = (role: Role) => Promise<HubClient>;

/** A pilot: every kind of thing that people do with a hub. */
const live = async (clientOf: ClientOf): Promise<Said> => {
  const [sender, agent, supervisor] = await Promise.all(
    (['integration', 'agent', 'supervisor'] as const).map(clientOf),
  );
  const crowd = Array.from({ length: 600 }, (_, n) => contact([`email:crowd${n % 200}@example.com`]));
  for (let n = 0; n < crowd.length; n += 200) await sender!.take(crowd.slice(n, n + 200));
  const repeated = contact(ANA);
  const results = await sender!.take([
    repeated, contact([BEA]), contact([CARLA]), contact([PARTED]), contact([IDA], { text: 'mag keine Anrufe' }),
  ]); // prettier-ignore
  await sender!.take([repeated, repeated]);
  await sender!.take([{ ...repeated, revision: 2, text: 'said better' }]);
  const profile = { source: 'crm', externalId: 'BEA-1', name: 'Bea Berg', identifiers: [{ type: 'email', value: 'bea@example.com' }] }; // prettier-ignore
  await sender!.take([profile], '/v1/profiles');
  const [parked] = await sender!.take([{ ...repeated, revision: 2, text: 'said otherwise' }]);
  expect(parked).toMatchObject({ status: 'parked' });

  const link = (pair: string[]) =>
    must(supervisor!.post<LinkOutcomeDto>('/v1/links', { identities: pair, reason: 'said so' }));
  await agent!.customers(PARTED, results.at(-1)!.position);
  await link([BEA, CARLA]);
  const undone = await link([ANA[0]!, PARTED]);
  await must(supervisor!.post(`/v1/links/${undone.link}/retract`, { reason: 'it was not so' }));
  const ana = await agent!.customer(ANA[0]!);
  const [entry] = (await agent!.timeline(ana.id)).items;
  await must(agent!.post(`/v1/conversations/${entry!.conversation}/notes`, { text: 'likes to be called' }));
  await must(agent!.post(`/v1/conversations/${entry!.conversation}/commitments`, { text: 'call back' }));
  const consent = { purpose: 'marketing', granted: false, evidence: 'said so' };
  await must(supervisor!.post(`/v1/customers/${ana.id}/consents`, consent));
  await must(supervisor!.post(`/v1/customers/${ana.id}/preferences`, { channel: 'sms' }));

  const { id: erasedCustomer } = await agent!.customer(IDA);
  const { erasure } = await must(
    supervisor!.post<ErasureDto>(`/v1/customers/${erasedCustomer}/erase`, { reason: 'art-17' }),
  );
  await eventually(async () => expect((await agent!.get(`/v1/customers/${erasedCustomer}`)).status).toBe(410));
  // Somebody new under the same address.
  const [again] = await sender!.take([contact([IDA], { text: 'a fresh start' })]);
  await agent!.customers(IDA, again!.position);
  const receipts = [...results.slice(0, 4), again!].map(({ receipt }) => receipt!);
  return { repeated, conflict: parked!.receipt!, erasedCustomer, erasure, receipts };
};

/** What people and integrations are shown. */
const seen = async (clientOf: ClientOf, { receipts, erasedCustomer, erasure }: Said): Promise<unknown> => {
  const [agent, supervisor] = await Promise.all((['agent', 'supervisor'] as const).map(clientOf));
  const customers = [];
  for (const who of [...ANA, BEA, CARLA, PARTED, IDA, 'email:crowd7@example.com']) {
    const customer = await agent!.customer(who);
    const { items } = await agent!.timeline(customer.id, { include: 'body', limit: 100 });
    customers.push({ customer, items });
  }
  return withoutPositions({
    customers,
    receipts: await Promise.all(receipts.map((receipt) => agent!.receipt(receipt))),
    erased: (await agent!.get(`/v1/customers/${erasedCustomer}`)).status,
    certificate: await supervisor!.mustGet(`/v1/erasures/${erasure}`),
  });
};

const dataDir = temporaryDirectory();
let hubKeys: (role: Role) => string;
let said: Said;
let shown: unknown;
let besideHub: CliRun;
let secrets: Record<string, string>;
let cluster: Cluster;

beforeAll(async () => {
  const hub = await HubProcess.start({ dataDir });
  hubKeys = (role) => hub.key(role);
  const clientOf: ClientOf = (role) => hub.client(role);
  said = await live(clientOf);
  shown = await seen(clientOf, said);
  const nowhere = { HILO_EVENT_STORE_URL: 'esdb://127.0.0.1:1?tls=false' };
  besideHub = await hiloWith({ dataDir, env: nowhere }, 'migrate');
  const [analyst] = (await hilo(dataDir, 'api-keys', 'list')).stdout.split('\n').filter((line) => /analyst/.test(line));
  await hilo(dataDir, 'api-keys', 'revoke', /^\S+/.exec(analyst!)![0]);
  await hub.stop();
  // A look at the files themselves, which no hub has written into its log yet.
  await hilo(dataDir, 'timeline', BEA, '--tenant', 'demo');
  secrets = {
    HILO_PEPPER: readFileSync(join(dataDir, 'pepper')).toString('base64'),
    HILO_MASTER_KEY: readFileSync(join(dataDir, 'master.key'), 'utf8').trim(),
  };
  cluster = await Cluster.start(secrets);
});
afterAll(() => cluster?.stop());

const migrate = (...words: string[]): Promise<CliRun> => hiloWith({ dataDir, env: cluster.env }, 'migrate', ...words);

/** Runs it and sends a signal so many milliseconds after it has said that a step begins. */
const breakOff = (
  step: number,
  signal: NodeJS.Signals,
  afterMs: number,
): Promise<{ code: number | null; stderr: string }> =>
  within(
    new Promise((ended) => {
      const child = spawn(process.execPath, [CLI, 'migrate'], {
        env: environment({ HILO_DATA_DIR: dataDir, ...cluster.env }),
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        const before = stderr;
        stderr += text;
        const line = `${step} of ${STEPS}:`;
        if (!before.includes(line) && stderr.includes(line)) setTimeout(() => child.kill(signal), afterMs);
      });
      child.once('close', (code) => ended({ code, stderr }));
    }),
    `step ${step} to begin`,
  );

describe('a hub that moves to a cluster', () => {
  it('is refused while it runs', () => {
    expect(besideHub).toMatchObject({ code: 1, stdout: '' });
    expect(besideHub.stderr).toMatch(/^hilo: .* is in use by hub \(process \d+.*stop it first\n$/);
  });

  it('is carried over whole, however often the move is killed, and starts nowhere before', async () => {
    expect(readdirSync(join(dataDir, 'looks'))).toHaveLength(1);
    const stopped = await breakOff(1, 'SIGINT', 0);
    expect(stopped).toMatchObject({ code: 130 });
    expect(stopped.stderr).toMatch(/^hilo: stopped at the log; the same command goes on$/m);
    for (let step = 1; step <= STEPS; step++) {
      const { stderr } = await breakOff(step, 'SIGKILL', (step * 13) % 40);
      expect(stderr).toContain(`${step} of ${STEPS}:`);
      if (stderr.includes('everything is there')) continue; // it was faster
      const early = await cluster.hilo('reconcile');
      expect(early).toMatchObject({ code: 1 });
      expect(early.stderr).toContain('run hilo migrate');
    }
    const moved = await migrate('--json');
    expect(moved.stderr).toMatch(/everything is there: start the programs with this HILO_PEPPER \(fingerprint \w{8}\)/);
    const compared = moved.stdout.trim().split('\n').map((line) => JSON.parse(line) as { what: string; same: boolean; cluster: { count: number } }); // prettier-ignore
    expect(compared.filter(({ same }) => !same)).toEqual([]);
    const counts = Object.fromEntries(compared.map(({ what, cluster: { count } }) => [what, count]));
    expect(counts).toMatchObject({ 'parked messages': 1, erasures: 1, 'API keys': 5 });
    // Nothing is left to do, and nothing is done twice.
    expect(await migrate('--json')).toMatchObject({ code: 0, stdout: moved.stdout });
  });

  it('takes over what the hub has done since, erasures too', async () => {
    const gone = 'crowd9@example.com';
    expect([[true], ELSEWHERE]).toContainEqual(await inServerFiles(cluster.postgres.url, [gone]));
    const hub = await HubProcess.start({ dataDir });
    const clientOf: ClientOf = (role) => hub.client(role);
    const [sender, agent, supervisor] = await Promise.all(
      (['integration', 'agent', 'supervisor'] as const).map(clientOf),
    );
    const [result] = await sender!.take([contact(['email:crowd7@example.com'])]);
    const { id } = await agent!.customer(`email:${gone}`, result!.position);
    const erasing = supervisor!.post<ErasureDto>(`/v1/customers/${id}/erase`, { reason: 'art-17' });
    expect(await must(erasing)).toMatchObject({ status: 'completed' });
    shown = await seen(clientOf, said);
    await hub.stop();

    const moved = await migrate();
    expect(moved).toMatchObject({ code: 0 });
    expect(moved.stdout).not.toContain('differs');
    expect(moved.stdout).toMatch(/^erasures +2 +2 /m);
    expect([[false], ELSEWHERE]).toContainEqual(await inServerFiles(cluster.postgres.url, [gone]));
  });

  it('goes on there: the same customers, keys, receipts and streams', async () => {
    await cluster.startPrograms();
    const clientOf: ClientOf = async (role) =>
      new HubClient(await cluster.of(role === 'integration' ? 'ingest' : 'timeline-api')[0]!.url(), hubKeys(role));
    // A program that has just started hears of what is shown in a moment.
    await eventually(async () => {
      const client = await clientOf('agent');
      for (const receipt of said.receipts) expect(await client.receipt(receipt)).toMatchObject({ visible: true });
    });
    expect(await seen(clientOf, said)).toEqual(shown);
    const [bea] = await (await clientOf('supervisor')).customers(BEA);
    const looks = await (await clientOf('supervisor')).mustGet<{ items: { by: string }[] }>(`/v1/customers/${bea!.id}/access-log`); // prettier-ignore
    expect(looks.items.map(({ by }) => by)).toContainEqual(expect.stringMatching(/^machine:/));
    expect((await (await clientOf('analyst')).get('/v1/customers')).status).toBe(401);

    const bytes = await cluster.hilo('parked', 'show', said.conflict, '--raw');
    expect(bytes.stdout).toContain('said otherwise');
    expect((await cluster.hilo('reconcile')).stderr).toContain('everything adds up');

    const [sender, agent, supervisor] = await Promise.all(
      (['integration', 'agent', 'supervisor'] as const).map(clientOf),
    );
    const before = await agent!.customer(ANA[0]!);
    const taken = await sender!.take([{ ...said.repeated, revision: 2, text: 'said better' }, contact(ANA)]);
    expect(taken[0]!.receipt).toBe(said.receipts[0]);
    const fresh = await eventually(async () => {
      const receipt = await agent!.receipt(taken[1]!.receipt!);
      expect(receipt).toMatchObject({ status: 'recorded', visible: true });
      return receipt;
    });
    const after = await agent!.customer(ANA[1]!, fresh.position);
    expect(after).toMatchObject({ id: before.id, interactions: before.interactions + 1 });
    const conversations = (await agent!.timeline(after.id, { kind: 'message' })).items.map((one) => one.conversation);
    expect(new Set(conversations).size).toBe(1);
    const [duplicates] = (await cluster.hilo('reconcile', '--json')).stdout.split('\n').filter((line) => line.includes('care@')).map((line) => (JSON.parse(line) as { duplicate: number }).duplicate); // prettier-ignore
    expect(duplicates).toBe(3);

    const { erasure } = await must(
      supervisor!.post<ErasureDto>(`/v1/customers/${after.id}/erase`, { reason: 'art-17' }),
    );
    await eventually(async () =>
      expect(await supervisor!.mustGet(`/v1/erasures/${erasure}`)).toMatchObject({ status: 'completed', contacts: 2 }),
    );
    expect((await agent!.get(`/v1/customers/${after.id}`)).status).toBe(410);
    const late = await migrate();
    expect(late).toMatchObject({ code: 1, stdout: '' });
    expect(late.stderr).toMatch(/^hilo: the target holds .* which is not of this log$/m);
    expect((await agent!.get(`/v1/customers/${after.id}`)).status).toBe(410);
  });
});
