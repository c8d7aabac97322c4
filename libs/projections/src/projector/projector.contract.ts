import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { streamId } from '#libs/event-store';
import { FixedClock, bytesOfUuid, type Uuid } from '#libs/kernel';
import { interactionContent } from '#libs/testing';
import type { ReadModelHome } from '../read-model/read-model-home.port.js';
import { rebuild } from '../rebuild/rebuild.js';
import { tableDigests } from '../rebuild/table-digests.js';
import { Projector } from './projector.js';

const uuid = (letter: string, n: number): Uuid => `${letter}0000000-0000-8000-8000-${String(n).padStart(12, '0')}`;
let eventCount = 0;

/** A place of its own for a read model. */
export type NewReadModelHome = () => ReadModelHome;
let newHome: NewReadModelHome;
let elsewhere: NewReadModelHome;

/** That the folds give the same rows on every engine. @param other of an engine to compare rows with */
export const projectorContract = (name: string, home: NewReadModelHome, other = home): void => {
  newHome = home;
  elsewhere = other;
  describe(`the read model in ${name}`, rules);
};

const opened: (() => Promise<void>)[] = [];

const openAll = async (home = newHome()) => {
  const store = new MemoryEventStore(new FixedClock(1_700_000_000_000));
  const readModel = await open(home);
  return { home, store, readModel, projector: new Projector(readModel, store) };
};

const open = async (home: ReadModelHome) => {
  const readModel = await home.open();
  opened.push(() => readModel.close());
  return readModel;
};

type Hub = Awaited<ReturnType<typeof openAll>>;

const contact = async ({ store }: Hub, n: number, identity: number, over = {}) =>
  store.append(
    streamId('interaction', uuid('1', n)),
    [
      {
        id: uuid('e', ++eventCount),
        type: 'InteractionRecorded',
        schema: 1,
        tenant: 'acme',
        data: interactionContent({
          externalId: `m${n}`,
          conversation: uuid('c', n),
          anchor: uuid('a', identity),
          identities: [{ identity: uuid('a', identity), type: 'email', value: `p${identity}@mail.example` }],
          occurredAt: new Date(1_690_000_000_000 + n * 60_000).toISOString(),
          digest: `d${n}`,
          ...over,
        }),
      },
    ],
    'no_stream',
  );

const correct = async ({ store }: Hub, n: number, revision: number, over: object) =>
  store.append(
    streamId('interaction', uuid('1', n)),
    [
      {
        id: uuid('e', ++eventCount),
        type: 'InteractionCorrected',
        schema: 1,
        tenant: 'acme',
        data: interactionContent({ revision: revision + 1, conversation: uuid('c', n), ...over }),
      },
    ],
    revision - 1,
  );

const decide = async ({ store }: Hub, link: number, type: string, data: object, expected: 'no_stream' | number) =>
  store.append(
    streamId('link', uuid('b', link)),
    [{ id: uuid('e', ++eventCount), type, schema: 1, tenant: 'acme', data: { link: uuid('b', link), ...data } }],
    expected,
  );

const linked = (a: number, b: number) => ({
  a: uuid('a', a),
  b: uuid('a', b),
  evidence: 'same-interaction',
  confidence: 0.9,
  rule: 'rules-1',
});

/** A note or what becomes of a commitment, at the conversation of a contact. */
const write = async ({ store }: Hub, type: string, n: number, identity: number, over: object = {}) => {
  const isNote = type === 'NoteAdded';
  const stream = isNote ? streamId('note', uuid('7', n)) : streamId('commitment', uuid('8', n));
  const { length } = await store.read(stream);
  const data = {
    [isNote ? 'note' : 'commitment']: uuid(isNote ? '7' : '8', n),
    conversation: uuid('c', n),
    anchor: uuid('a', identity),
    channel: 'email',
    account: 'care@acme.example',
    by: { agent: 'kim' },
    at: new Date(1_690_000_000_000 + n * 60_000).toISOString(),
    ...(isNote || type === 'CommitmentMade' ? { text: `text ${n}` } : {}),
    ...over,
  };
  const event = { id: uuid('e', ++eventCount), type, schema: 1, tenant: 'acme', data };
  await store.append(stream, [event], length === 0 ? 'no_stream' : length - 1);
};

/** Appends a statement to the stream of an identity. */
const state = async ({ store }: Hub, identity: number, type: string, said: object) => {
  const stream = streamId('consent', uuid('a', identity));
  const { length } = await store.read(stream);
  const data = { identity: uuid('a', identity), statedAt: '2025-03-02T09:15:00.000Z', by: 'kim', ...said };
  const event = { id: uuid('e', ++eventCount), type, schema: 1, tenant: 'acme', data };
  await store.append(stream, [event], length === 0 ? 'no_stream' : length - 1);
};

/** Interaction numbers on the timeline of the customer of an identity, newest first. */
const timelineOf = async ({ readModel }: Hub, identity: number): Promise<number[]> => {
  const rows = await readModel.db
    .selectFrom('timeline')
    .innerJoin('entry', 'entry.position', 'timeline.position')
    .innerJoin('identity', 'identity.customer', 'timeline.customer')
    .select('entry.id')
    .where('identity.id', '=', bytesOfUuid(uuid('a', identity)))
    .orderBy('timeline.occurredAt', 'desc')
    .execute();
  return rows.map(({ id }) => Number(Buffer.from(id).toString('hex').slice(-12)));
};

const rules = (): void => {
  afterEach(async () => {
    for (const close of opened.splice(0)) await close().catch(() => undefined);
  });

  it('joins the timelines of linked identities and parts them again', async () => {
    const hub = await openAll();
    await contact(hub, 1, 1);
    await contact(hub, 2, 2);
    await contact(hub, 3, 3);
    await decide(hub, 1, 'IdentitiesLinked', linked(1, 2), 'no_stream');
    await decide(hub, 2, 'IdentitiesLinked', linked(2, 3), 'no_stream');
    await contact(hub, 4, 3);
    await hub.projector.catchUp();
    expect(await timelineOf(hub, 1)).toEqual([4, 3, 2, 1]);
    expect(await timelineOf(hub, 3)).toEqual([4, 3, 2, 1]);

    await decide(hub, 1, 'LinkRetracted', { reason: 'shared' }, 0);
    await contact(hub, 5, 2);
    await hub.projector.catchUp();
    expect(await timelineOf(hub, 1)).toEqual([1]);
    expect(await timelineOf(hub, 2)).toEqual([5, 4, 3, 2]);
  });

  it('gives a contact to whoever had its identity at its time, also after a new start', async () => {
    const hub = await openAll();
    await contact(hub, 1, 1);
    const former = [{ identity: uuid('a', 9), until: '2023-07-23' }];
    const data = { identity: uuid('a', 1), former, rule: 'rules-1' };
    const decided = { id: uuid('e', ++eventCount), type: 'IdentityErasDecided', schema: 1, tenant: 'acme', data };
    await hub.store.append(streamId('eras', uuid('a', 1)), [decided], 'no_stream');
    await contact(hub, 2, 1);
    await hub.projector.catchUp();
    for (const [n, day] of [
      [3, 22],
      [4, 24],
    ] as const)
      // prettier-ignore
      await contact(hub, n, 1, { occurredAt: `2023-07-${day}T09:15:00.000Z` });
    await new Projector(hub.readModel, hub.store).catchUp();
    expect(await timelineOf(hub, 9)).toEqual([3, 2, 1]);
    expect(await timelineOf(hub, 1)).toEqual([4]);
  });

  it('keeps a customer whole while another path of links holds', async () => {
    const hub = await openAll();
    for (const n of [1, 2, 3]) await contact(hub, n, n);
    await decide(hub, 1, 'IdentitiesLinked', linked(1, 2), 'no_stream');
    await decide(hub, 2, 'IdentitiesLinked', linked(2, 3), 'no_stream');
    await decide(hub, 3, 'IdentitiesLinked', linked(1, 3), 'no_stream');
    await decide(hub, 1, 'LinkRetracted', { reason: 'wrong' }, 0);
    await hub.projector.catchUp();
    expect(await timelineOf(hub, 2)).toEqual([3, 2, 1]);
  });

  it('shows the corrected content where the contact was recorded, and moves it to its new time', async () => {
    const hub = await openAll();
    await contact(hub, 1, 1);
    await contact(hub, 2, 1);
    await hub.store.append(
      streamId('interaction', uuid('1', 1)),
      [
        {
          id: uuid('e', ++eventCount),
          type: 'InteractionCorrected',
          schema: 1,
          tenant: 'acme',
          data: interactionContent({
            revision: 2,
            subject: 'Corrected',
            conversation: uuid('c', 1),
            anchor: uuid('a', 1),
            identities: [{ identity: uuid('a', 1), type: 'email', value: 'p1@mail.example' }],
            occurredAt: new Date(1_690_000_000_000 + 9 * 60_000).toISOString(),
          }),
        },
      ],
      0,
    );
    await hub.projector.catchUp();
    expect(await timelineOf(hub, 1)).toEqual([1, 2]);
    expect(
      await hub.readModel.db
        .selectFrom('entry')
        .select(['position', 'revision', 'subject'])
        .orderBy('position')
        .execute(),
    ).toEqual([
      { position: 1, revision: 2, subject: 'Corrected' },
      { position: 2, revision: 1, subject: 'Where is my order?' },
    ]);
  });

  it('gives equal rows whatever the size of the batches, and when it is rebuilt', async () => {
    const hub = await openAll();
    for (let n = 1; n <= 60; n++) {
      await contact(hub, n, n % 7);
      if (n % 9 === 0)
        await decide(hub, n, 'IdentitiesLinked', linked(n % 7, (n + 3) % 7), 'no_stream').catch(() => undefined);
    }
    await decide(hub, 9, 'LinkRetracted', { reason: 'wrong' }, 0);
    for (const n of [5, 6, 5]) {
      const revision = (await hub.store.read(streamId('interaction', uuid('1', n)))).length;
      await correct(hub, n, revision, {
        anchor: uuid('a', 3),
        identities: [{ identity: uuid('a', 3), type: 'email', value: 'p3@mail.example', verified: true }],
        name: `Name ${revision}`,
        occurredAt: new Date(1_680_000_000_000 - revision).toISOString(),
      });
    }
    for (const n of [4, 8, 12]) {
      await write(hub, 'NoteAdded', n, n % 7);
      await write(hub, 'CommitmentMade', n, n % 7, n === 4 ? {} : { dueAt: '2026-03-02T09:15:00.000Z' });
    }
    await write(hub, 'CommitmentKept', 8, 1);
    await write(hub, 'CommitmentWithdrawn', 12, 5, { reason: 'not needed' });
    for (const granted of [true, false])
      await state(hub, 3, 'ConsentRecorded', { purpose: 'marketing', granted, evidence: 'said so' });
    await state(hub, 4, 'PreferenceStated', { channel: 'sms', until: '2026-03-02T09:15:00.000Z' });
    // Of somebody nobody knows, or who was erased, nothing is kept.
    await state(hub, 99, 'PreferenceStated', { channel: 'sms' });
    await state(hub, 5, 'ConsentRecorded', { purpose: 'marketing', granted: false, erased: true });
    await hub.projector.catchUp(undefined, 1);
    const one = await tableDigests(hub.readModel);
    const pastRows = (table: string) => one.find((digest) => digest.table === table)?.rows;
    expect(['entry_past', 'identity_past', 'link_past'].map(pastRows)).toEqual([5, 2, 1]);
    expect(['commitment', 'consent', 'preference'].map(pastRows)).toEqual([3, 2, 1]);

    const other = await open(elsewhere());
    await new Projector(other, hub.store).catchUp(undefined, 17);
    expect(await tableDigests(other)).toEqual(one);
    await hub.readModel.close();

    const reports: number[] = [];
    expect(await rebuild({ home: hub.home, log: hub.store, report: (position) => reports.push(position) })).toBe(
      await hub.store.head(),
    );
    const rebuilt = await open(hub.home);
    expect(await tableDigests(rebuilt)).toEqual(one);
    expect(reports.at(-1)).toBe(await hub.store.head());
    expect(one.find(({ table }) => table === 'timeline')?.rows).toBe(66);
  });

  it('goes on where a rebuild was stopped, to the same rows', async () => {
    const hub = await openAll();
    for (let n = 1; n <= 450; n++) await contact(hub, n, n % 40, { conversation: uuid('c', n % 90) });
    await hub.projector.catchUp();
    const folded = await tableDigests(hub.readModel);
    await hub.readModel.close();

    const stop = new AbortController();
    const stopped = { home: hub.home, log: hub.store, report: () => stop.abort(), signal: stop.signal };
    expect(await rebuild(stopped)).toBeUndefined();
    const reports: number[] = [];
    await rebuild({ home: hub.home, log: hub.store, report: (position) => reports.push(position) });
    expect(reports[0]).toBeGreaterThan(200);
    expect(await tableDigests(await open(hub.home))).toEqual(folded);
  });

  it('is discarded when it is ahead of the log or of another shape, and kept otherwise', async () => {
    const hub = await openAll();
    for (const n of [1, 2, 3]) await contact(hub, n, n);
    await hub.projector.catchUp();
    await hub.readModel.close();
    expect(await hub.home.discardUnusable(3)).toBeUndefined();
    expect(await hub.home.exists()).toBe(true);
    expect(await hub.home.discardUnusable(2)).toMatch(/shows position 3, the log ends at 2/);
    expect(await hub.home.exists()).toBe(false);
  });

  it('refuses to go on when another projector moved the checkpoint', async () => {
    const hub = await openAll();
    await contact(hub, 1, 1);
    await hub.projector.checkpoint();
    const rival = new Projector(await open(hub.home), hub.store);
    await rival.catchUp();
    await contact(hub, 2, 1);
    await expect(hub.projector.catchUp()).rejects.toMatchObject({ code: 'READ_MODEL.FENCED' });
  });
};
