import { join } from 'node:path';
import { streamId, type StreamId } from '#libs/event-store';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { IdFactory, SystemClock, toInstant, type Uuid } from '#libs/kernel';
import { Projector } from '#libs/projections/projector/projector.js';
import { READ_MODEL_FILE } from '#libs/projections/read-model/open-read-model.js';
import { SqliteReadModel } from '#libs/projections/read-model/sqlite/sqlite.read-model.js';
import { cursorOf, type AsOf } from '#libs/queries/shared/cursor.js';
import { GetTimelineQuery } from '#libs/queries/timeline/get-timeline.handler.js';
import { TENANT } from '../hub.js';
import { answer } from '../job.js';
import { randomOf } from '../load/random.js';
import { timelineHandler } from './timeline-handler.js';

export interface PastPages {
  dataDir: string;
  pages: number;
  seed: number;
}

/** Milliseconds of every page of one customer of 10,000 contacts, from a random place on. */
export interface PastPageTimes {
  present: number[];
  past: number[];
}

const CONTACTS = 10_000;
/** Contacts of others between two of the customer's. */
const OTHERS = 4;
const CORRECTED_ONE_OF = 20;
const FIRST_MS = Date.UTC(2025, 0, 1);
const STEP_MS = 6000;
const PAGE = 50;

const ids = new IdFactory(Buffer.from('a pepper for the benchmark'));
const emailOf = (name: string): string => `${name}@mail.example`;
const identityOf = (name: string): Uuid => ids.identity(TENANT, 'email', emailOf(name));

/** The customer's own addresses; links join them one by one, and one link is undone and made again. */
const ADDRESSES = ['first', 'second', 'third', 'fourth'];

/** A log of 50,000 contacts in which the customer grows together, and every twentieth contact is corrected some time later. */
const writeLog = async (store: MemoryEventStore, random: () => number): Promise<void> => {
  const put = async (stream: StreamId, type: string, data: object): Promise<void> => {
    const { length } = await store.read(stream);
    const event = { id: ids.event(stream, length, type), type, schema: 1, tenant: TENANT, data };
    await store.append(stream, [event], length === 0 ? 'no_stream' : length - 1);
  };
  const contact = (name: string, n: number, revision = 1): Promise<void> => {
    const anchor = identityOf(name);
    const channel = ['email', 'chat', 'phone'][n % 3]!;
    return put(
      streamId('interaction', ids.interaction(TENANT, channel, 'bench', `${n}`)),
      revision === 1 ? 'InteractionRecorded' : 'InteractionCorrected',
      {
        channel, account: 'bench', externalId: `${n}`, revision, kind: 'message',
        conversation: ids.identity(TENANT, 'conversation', `${name}-${n >> 4}`), direction: 'inbound',
        occurredAt: toInstant(FIRST_MS + n * STEP_MS), receivedAt: toInstant(FIRST_MS + n * STEP_MS + 900), anchor,
        identities: [{ identity: anchor, type: 'email', value: emailOf(name) }], subject: `Where is order ${n}`,
        text: 'the parcel of last week has not arrived and the tracking page still shows the depot near the airport',
        digest: `${n}-${revision}`,
      },
    ); // prettier-ignore
  };
  const link = (type: string, one: string, other: string): Promise<void> => {
    const [a, b] = [identityOf(one), identityOf(other)].toSorted() as [Uuid, Uuid];
    const id = ids.link(TENANT, a, b);
    const data = { link: id, a, b, evidence: 'same-interaction', confidence: 0.9, rule: 'bench', reason: 'bench' };
    return put(streamId('link', id), type, data);
  };
  const corrections = new Map<number, [name: string, n: number][]>();
  for (let i = 0; i < CONTACTS; i++) {
    const known = Math.min(ADDRESSES.length, 1 + Math.floor((i * ADDRESSES.length) / CONTACTS));
    const name = ADDRESSES[Math.floor(random() * known)]!;
    const n = i * (OTHERS + 1);
    await contact(name, n);
    for (let other = 1; other <= OTHERS; other++) await contact(`other${Math.floor(random() * 500)}`, n + other);
    if (i % CORRECTED_ONE_OF === 0) {
      const due = i + 1 + Math.floor(random() * (CONTACTS - i - 1));
      corrections.set(due, [...(corrections.get(due) ?? []), [name, n]]);
    }
    for (const [whose, which] of corrections.get(i) ?? []) await contact(whose, which, 2);
    const part = (i * 100) / CONTACTS;
    if (part === 30) await link('IdentitiesLinked', 'first', 'second');
    if (part === 55) await link('IdentitiesLinked', 'second', 'third');
    if (part === 70) await link('LinkRetracted', 'first', 'second');
    if (part === 80) await link('IdentitiesLinked', 'first', 'second');
    if (part === 90) await link('IdentitiesLinked', 'first', 'fourth');
  }
};

answer(async ({ dataDir, pages, seed }: PastPages): Promise<PastPageTimes> => {
  const store = new MemoryEventStore(new SystemClock());
  const random = randomOf(seed);
  await writeLog(store, random);
  const file = join(dataDir, READ_MODEL_FILE);
  const written = SqliteReadModel.open({ file });
  await new Projector(written, store).catchUp();
  await written.close();

  const readModel = SqliteReadModel.open({ file, readonly: true });
  const handler = timelineHandler(readModel, store);
  const head = await store.head();
  const timeOf = async (asOf?: AsOf): Promise<number> => {
    const newestMs = FIRST_MS + ((asOf?.position ?? head) / head) * CONTACTS * (OTHERS + 1) * STEP_MS;
    const occurredAt = FIRST_MS + Math.floor((0.02 + random() * 0.98) * (newestMs - FIRST_MS));
    const before = cursorOf({ occurredAt, position: head }, asOf);
    const startedAt = performance.now();
    const { items } = await handler.execute(
      new GetTimelineQuery({
        tenant: TENANT,
        customer: identityOf('first'),
        limit: PAGE,
        before,
        ...(asOf && { asOf }),
      }),
    );
    if (items.length === 0) throw new Error('a page is empty');
    return performance.now() - startedAt;
  };
  const times: PastPageTimes = { present: [], past: [] };
  // The first tenth warms up both.
  for (let i = -pages / 10; i < pages; i++) {
    const present = await timeOf();
    const past = await timeOf({ position: Math.floor((0.1 + 0.9 * random()) * head) });
    if (i < 0) continue;
    times.present.push(present);
    times.past.push(past);
  }
  await readModel.close();
  return times;
});
