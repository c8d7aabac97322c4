import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ContentReader } from '#libs/commands/intake/content.js';
import { IdentityResolver } from '#libs/commands/identity-resolver/identity-resolver.js';
import {
  SCHEMAS,
  interactionDecider,
  profileDecider,
  upcast,
  type AccessEvent,
  type AgentWorkEvent,
  type ConsentEvent,
  type ErasureEvent,
  type IdentityErased,
  type IdentityEvent,
  type InteractionContent,
  type InteractionEvent,
  type ProfileImported,
} from '#libs/domain';
import type { EventStore, NewEvent, StoredEvent, StreamId } from '#libs/event-store';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { FixedClock, IdFactory, bytesOfUuid, instantMs, uuidOfBytes } from '#libs/kernel';
import { EventOpener, SealedEventStore } from '#libs/privacy';
import { MemoryKeyVault } from '#libs/privacy/vault/memory/memory.key-vault.js';
import { Projector } from '#libs/projections/projector/projector.js';
import { SqliteReadModel } from '#libs/projections/read-model/sqlite/sqlite.read-model.js';

const GOLDEN = join(__dirname, 'golden');

/** A line of `hilo history`: what a release has written, for ever. */
interface Golden extends Omit<StoredEvent, 'recordedAtMs'> {
  recordedAt: string;
}

const bytesOf = (name: string): string => readFileSync(join(GOLDEN, `${name}.json`), 'utf8');
const goldenOf = (name: string): Golden => JSON.parse(bytesOf(name)) as Golden;
const names = readdirSync(GOLDEN)
  .map((file) => file.replace(/\.json$/, ''))
  .toSorted();

/** Beginning of the SHA-256 of each file. A line is added with its file and never changed. */
const WRITTEN: Readonly<Record<string, string>> = {
  'IdentitiesLinked.1': 'ddd3e22bbdff7aff',
  'InteractionCorrected.1': '940a0f3904b2c83e',
  'InteractionRecorded.1': 'd8a66f6bd735f1f5',
  'LinkConfirmed.1': 'bbbcbf8ca4d680d6',
  'LinkProposed.1': '1cbff727d0c10edf',
  'LinkProposed.2': '78c078a57024f5e0',
  'LinkRejected.1': 'e765e57c2cd1b9e4',
  'LinkRetracted.1': '8f3c479cda14ed84',
  'PersonalDataRevealed.1': '4f6db18f540ddc6e',
  'ProfileImported.1': 'f415a69ef8150c41',
  'SenderAliasSeen.1': '33f9410914d311de',
  'TimelineViewed.1': 'b63bc696724056db',
  'ConsentRecorded.1': 'cb328fa09712e68c',
  'PreferenceStated.1': '9eb93fc75cb164ae',
  'InteractionRecorded.2': '26beba94a0e0e166',
  'InteractionCorrected.2': '7c7bd8729b4420c5',
  'ProfileImported.2': '7fa9606cb6461ae5',
  'IdentitiesLinked.2': 'da683cb3bf6b191f',
  'LinkConfirmed.2': '04b7991851315a1a',
  'LinkRejected.2': '7a60d1d6973671a8',
  'LinkRetracted.2': '8e4a88ee8d90c861',
  'NoteAdded.1': 'df7749aa795c9133',
  'CommitmentMade.1': 'e59eabae06f0571e',
  'CommitmentKept.1': '5d23eb4a010dff46',
  'CommitmentWithdrawn.1': 'b04de82ce481e44d',
  'ErasureRequested.1': '62508645422f2e81',
  'IdentityErased.1': 'afbc3deed165c1ee',
  'ErasureCompleted.1': 'b33b2a2f0b6b3a40',
  'IdentityErasDecided.1': '2937bef9078b300f',
};

const email = '10000000-0000-8000-8000-000000000001';
const phone = '10000000-0000-8000-8000-000000000002';
const profile = '10000000-0000-8000-8000-000000000003';
const withheld = '10000000-0000-8000-8000-000000000004';
const era = '10000000-0000-8000-8000-000000000005';
const interaction = '20000000-0000-8000-8000-000000000001';
const conversation = '30000000-0000-8000-8000-000000000001';
const linkA = '40000000-0000-8000-8000-000000000001';
const linkB = '40000000-0000-8000-8000-000000000002';
const note = '70000000-0000-8000-8000-000000000001';
const commitment = '80000000-0000-8000-8000-000000000001';
const erasure = '70000000-0000-8000-8000-000000000001';

const content: Required<Omit<InteractionContent, 'erased'>> = {
  channel: 'email',
  account: 'care@acme.example',
  externalId: '<a1@mail.example>',
  revision: 1,
  kind: 'message',
  threadId: '<a0@mail.example>',
  direction: 'inbound',
  occurredAt: '2025-03-02T09:15:00.000Z',
  endedAt: '2025-03-02T09:16:00.000Z',
  receivedAt: '2025-03-02T09:16:04.000Z',
  agent: 'agent-7',
  subject: '¿Dónde está mi pedido?',
  text: 'Lo pedí el lunes y no sé nada.',
  html: '<p>Lo pedí el lunes y no sé nada.</p>',
  language: 'es-ES',
  outcome: 'open',
  attachments: [
    {
      name: 'pedido.pdf',
      contentType: 'application/pdf',
      bytes: 4711,
      url: 'https://files.example/pedido.pdf',
      externalId: 'f-1',
    },
  ],
  attributes: { order: 'A-1', total: 12.5, express: true, coupon: null, items: ['tea', 'cup', 2] },
  conversation,
  anchor: email,
  identities: [
    { identity: email, type: 'email', value: 'lucia@example.com', verified: true },
    { identity: phone, type: 'phone', value: '+34600111222' },
    { identity: withheld, type: 'phone', value: 'anonymous', blocked: true },
  ],
  name: 'Lucía Gómez',
  digest: 'Zm9vYmFyYmF6cXV4MTIzNA',
};

const by = { agent: 'agent-7' };
const proposed = {
  link: linkB,
  a: email,
  b: profile,
  rule: 'rules-1',
  reason: 'conflicting-profiles',
  confidence: 0.98,
} as const;

const written = { conversation, anchor: email, channel: 'email', account: 'care@acme.example', by };
const asked = {
  erasure,
  customer: email,
  by: 'abcdefgh',
  reason: 'art-17',
  requestedAt: '2025-04-01T08:00:00.000Z',
  contacts: 2,
  events: 3,
  rows: [
    { table: 'entry', rows: 2 },
    { table: 'timeline', rows: 2 },
  ],
};

/** The keys that the sealed files were written with. */
const keysOfGolden = async (): Promise<MemoryKeyVault> => {
  const vault = new MemoryKeyVault((subject) => createHash('sha256').update(`golden key of ${subject}`).digest());
  await vault.obtain([email, profile, linkA, linkB]);
  return vault;
};

/** The data of a file as the store hands it out: opened where it is sealed. */
const openedGolden = async (name: string): Promise<object> => {
  const { recordedAt: _recordedAt, ...stored } = goldenOf(name);
  const [event] = await new EventOpener(await keysOfGolden()).events([{ ...stored, recordedAtMs: 0 }]);
  return event!.data;
};

type StoredFact =
  InteractionEvent | IdentityEvent | AccessEvent | AgentWorkEvent | ConsentEvent | ErasureEvent | IdentityErased;

/**
 * What every file must read as today, typed as today's code types it: a changed shape does not compile here, and once
 * it does, the file of the old one needs its upcaster.
 */
const TODAY: Readonly<Record<string, StoredFact>> = {
  'InteractionRecorded.1': { type: 'InteractionRecorded', data: content },
  'InteractionCorrected.1': {
    type: 'InteractionCorrected',
    data: {
      ...content,
      revision: 2,
      receivedAt: '2025-03-02T11:00:00.000Z',
      occurredAt: '2025-03-02T09:14:30.000Z',
      subject: '¿Dónde está mi pedido A-1?',
      text: 'Lo pedí el domingo y no sé nada.',
      outcome: 'answered',
      digest: 'Y29ycmVjdGVkMTIzNDU2Nw',
    },
  },
  'SenderAliasSeen.1': {
    type: 'SenderAliasSeen',
    data: {
      anchor: email,
      identities: content.identities.slice(0, 2),
      kind: 'message',
      occurredAt: '2025-03-02T09:15:00.000Z',
      name: 'Lucía Gómez',
      digest: 'YWxpYXMxMjM0NTY3ODkwMQ',
    },
  },
  'ProfileImported.1': {
    type: 'ProfileImported',
    data: {
      source: 'crm',
      externalId: '4711',
      name: 'Lucía Gómez Ruiz',
      givenName: 'Lucía',
      familyName: 'Gómez Ruiz',
      birthDate: '1980-02-29',
      createdAt: '2020-01-01T00:00:00.000Z',
      consents: { marketing: false, email: true },
      attributes: { tier: 'gold', points: 120 },
      profile,
      identities: content.identities.slice(0, 2),
      digest: 'cHJvZmlsZTEyMzQ1Njc4OQ',
    },
  },
  'IdentitiesLinked.1': {
    type: 'IdentitiesLinked',
    data: { link: linkA, a: email, b: phone, rule: 'rules-1', evidence: 'same-interaction', confidence: 0.873 },
  },
  'LinkProposed.1': { type: 'LinkProposed', data: { ...proposed, evidence: 'unknown' } },
  'LinkProposed.2': { type: 'LinkProposed', data: { ...proposed, evidence: 'profile-import' } },
  'LinkConfirmed.1': {
    type: 'LinkConfirmed',
    data: { link: linkB, by, reason: 'the customer said so on the phone' },
  },
  'LinkRejected.1': { type: 'LinkRejected', data: { link: linkB, by, reason: 'two people of one household' } },
  'LinkRetracted.1': { type: 'LinkRetracted', data: { link: linkA, by, reason: 'the phone is the office one' } },
  'IdentityErasDecided.1': {
    type: 'IdentityErasDecided',
    data: { identity: email, former: [{ identity: era, until: '2025-03-03' }], rule: 'rules-2+0a1b2c3d' },
  },
  'TimelineViewed.1': {
    type: 'TimelineViewed',
    data: {
      by: 'abcdefgh',
      customer: phone,
      at: '2025-03-02T09:16:08.000Z',
      saw: ['header', 'timeline'],
      reads: 3,
      reason: 'complaint',
    },
  },
  'PersonalDataRevealed.1': {
    type: 'PersonalDataRevealed',
    data: {
      by: 'user:mika',
      customer: email,
      at: '2025-03-02T09:16:10.000Z',
      field: 'identifier',
      identity: phone,
      reason: 'call-back',
    },
  },
  'NoteAdded.1': {
    type: 'NoteAdded',
    data: { note, ...written, at: '2025-03-02T09:16:11.000Z', text: 'Lucía prefiere que la llamen.' },
  },
  'CommitmentMade.1': {
    type: 'CommitmentMade',
    data: {
      commitment,
      ...written,
      at: '2025-03-02T09:16:12.000Z',
      text: 'Llamar a Lucía con la fecha de entrega.',
      dueAt: '2025-03-04T09:00:00.000Z',
    },
  },
  'CommitmentKept.1': {
    type: 'CommitmentKept',
    data: { commitment, ...written, at: '2025-03-03T10:00:00.000Z', reason: 'Dicho por teléfono.' },
  },
  'CommitmentWithdrawn.1': {
    type: 'CommitmentWithdrawn',
    data: { commitment, ...written, at: '2025-03-03T11:00:00.000Z', reason: 'Lucía ya tiene la fecha.' },
  },
  'ConsentRecorded.1': {
    type: 'ConsentRecorded',
    data: {
      identity: email,
      purpose: 'marketing',
      channel: 'email',
      granted: false,
      evidence: 'lo pidió por teléfono',
      until: '2026-03-02T00:00:00.000Z',
      statedAt: '2025-03-02T09:16:11.000Z',
      by: 'abcdefgh',
    },
  },
  'PreferenceStated.1': {
    type: 'PreferenceStated',
    data: {
      identity: email,
      channel: 'whatsapp',
      purpose: 'orders',
      withdrawn: true,
      evidence: 'lo dijo en la tienda',
      until: '2026-03-02T00:00:00.000Z',
      statedAt: '2025-03-02T09:16:11.000Z',
      by: 'user:mika',
    },
  },
  'ErasureRequested.1': {
    type: 'ErasureRequested',
    data: {
      ...asked,
      identities: [
        { identity: email, type: 'email' },
        { identity: phone, type: 'phone' },
      ],
      links: [linkA],
      conversations: [conversation],
    },
  },
  'IdentityErased.1': {
    type: 'IdentityErased',
    data: { identity: email, erasure, by: 'abcdefgh', reason: 'art-17', at: '2025-04-01T08:00:00.015Z' },
  },
  'ErasureCompleted.1': {
    type: 'ErasureCompleted',
    data: {
      ...asked,
      completedAt: '2025-04-01T08:00:00.025Z',
      position: 21,
      identities: [
        { identity: email, type: 'email', keyDestroyed: true },
        { identity: phone, type: 'phone', keyDestroyed: false },
      ],
      links: 1,
      conversations: 1,
      parked: 1,
      files: ['events.db', 'identity.db', 'keys.db', 'read-model.db'],
    },
  },
};

/** Types that were sealed from their first shape on. */
const SEALED_FROM_THE_START = [
  'NoteAdded',
  'CommitmentMade',
  'CommitmentKept',
  'CommitmentWithdrawn',
  'ConsentRecorded',
  'PreferenceStated',
];

/** Shape 2 says what shape 1 said, sealed. */
const todayOf = (name: string): StoredFact | undefined => TODAY[name] ?? TODAY[name.replace(/\.2$/, '.1')];

const without = <Value extends object, Field extends keyof Value>(
  value: Value,
  ...fields: Field[]
): Omit<Value, Field> => {
  const copy = { ...value };
  for (const field of fields) delete copy[field];
  return copy;
};

/** A log that holds these files in this order, each stream counted from 0. */
const logOf = async (...wanted: string[]): Promise<{ log: EventStore; events: StoredEvent[] }> => {
  const clock = new FixedClock(0);
  const stored = new MemoryEventStore(clock);
  const heads = new Map<StreamId, number>();
  for (const name of wanted) {
    const { stream, id, type, schema, tenant, data, recordedAt } = goldenOf(name);
    clock.advance(instantMs(recordedAt) - clock.nowMs());
    const head = heads.get(stream);
    const { revision } = await stored.append(stream, [{ id, type, schema, tenant, data }], head ?? 'no_stream');
    heads.set(stream, revision);
  }
  const log = new SealedEventStore(stored, await keysOfGolden());
  const events: StoredEvent[] = [];
  for await (const page of log.readAll({ after: 0 })) events.push(...page);
  return { log, events };
};

const folded = async (...wanted: string[]) => {
  const { log, events } = await logOf(...wanted);
  const readModel = SqliteReadModel.open({ file: ':memory:' });
  try {
    await new Projector(readModel, log).apply(events);
    const { db } = readModel;
    const identities = await db.selectFrom('identity').selectAll().orderBy('key').execute();
    return {
      entry: await db.selectFrom('entry').selectAll().executeTakeFirst(),
      timeline: await db.selectFrom('timeline').selectAll().execute(),
      profiles: await db.selectFrom('profile').selectAll().execute(),
      links: await db.selectFrom('link').selectAll().execute(),
      commitments: await db.selectFrom('commitment').selectAll().execute(),
      entries: await db.selectFrom('entry').selectAll().orderBy('position').execute(),
      consents: await db.selectFrom('consent').selectAll().orderBy('position').orderBy('purpose').execute(),
      preferences: await db.selectFrom('preference').selectAll().execute(),
      access: await db.selectFrom('access').selectAll().orderBy('position').execute(),
      conversations: (await db.selectFrom('conversation').select('id').execute()).map(({ id }) => uuidOfBytes(id)),
      labels: (await db.selectFrom('label').select('text').orderBy('key').execute()).map(({ text }) => text),
      identities,
      /** Key of the customer, by identity. */
      customers: Object.fromEntries(identities.map(({ id, customer }) => [uuidOfBytes(id), customer])),
    };
  } finally {
    await readModel.close();
  }
};

describe('what releases have written', () => {
  it('has a file for every version of every event type, and none besides', () => {
    const expected = Object.entries(SCHEMAS).flatMap(([type, newest]) =>
      Array.from({ length: newest }, (_, older) => `${type}.${older + 1}`),
    );
    expect(names).toEqual(expected.toSorted());
  });

  it('never changes', () => {
    const found = Object.fromEntries(
      names.map((name) => [name, createHash('sha256').update(bytesOf(name)).digest('hex').slice(0, 16)]),
    );
    expect(found).toEqual(WRITTEN);
  });

  it.each(names)('%s is a stored event of its type and version', (name) => {
    const { type, schema, stream, data, tenant } = goldenOf(name);
    expect(`${type}.${schema}`).toBe(name);
    expect({ stream, tenant }).toEqual({
      stream: expect.stringMatching(
        /^(interaction|identity|link|access|note|commitment|consent|erasure|eras)-[0-9a-f-]{36}$/,
      ) as unknown,
      tenant: 'acme',
    });
    expect(Object.keys(data)).not.toHaveLength(0);
  });

  it.each(names)('%s reads in the shape of today', async (name) => {
    const { type, schema } = goldenOf(name);
    const { type: today, data: read } = upcast({ type, schema, data: await openedGolden(name) });
    expect({ type: today, data: read }).toEqual(todayOf(name));
  });

  it('holds nothing personal in clear since shape 2', () => {
    const sealed = names.filter(
      (name) => name.endsWith('.2') || SEALED_FROM_THE_START.includes(name.replace(/\.1$/, '')),
    );
    for (const text of sealed.map(bytesOf))
      expect(text).not.toMatch(/luc[ií]a|pedido|34600111222|mail\.example|customer said|household|entrega|teléfono/i);
  });

  it('stays unread where a later release wrote it', () => {
    const { type, data } = goldenOf('InteractionRecorded.1');
    expect(() => upcast({ type, schema: SCHEMAS[type]! + 1, data })).toThrow(/upgrade/);
  });
});

describe('what is written today', () => {
  const ids = new IdFactory(Buffer.alloc(32));
  const reader = new ContentReader(ids, { countryOf: () => undefined });
  const identifiers = [
    { type: 'email', value: 'lucia@example.com', verified: true },
    { type: 'phone', value: '+34600111222' },
    { type: 'phone', value: 'anonymous' },
  ];
  const fieldsOf = (data: object) => Object.keys(data).toSorted();

  it('has the fields of the newest file of a contact', async () => {
    const { name, ...said } = without(content, 'conversation', 'anchor', 'identities', 'digest');
    const written = reader.interaction({ ...said, tenant: 'acme', customer: { identifiers, name } });
    const newest = (await openedGolden(`InteractionRecorded.${SCHEMAS.InteractionRecorded}`)) as InteractionContent;
    expect(fieldsOf(written)).toEqual(fieldsOf(newest));
    expect(written.identities.map(fieldsOf)).toEqual(newest.identities.map(fieldsOf));
  });

  it('has the fields of the newest file of a profile', async () => {
    const newest = (await openedGolden(`ProfileImported.${SCHEMAS.ProfileImported}`)) as ProfileImported['data'];
    const said = without(newest, 'profile', 'identities', 'digest');
    const receivedAt = '2025-03-02T09:16:04.000Z';
    const written = reader.profile({ ...said, tenant: 'acme', identifiers, receivedAt });
    expect(fieldsOf(written)).toEqual(fieldsOf(newest));
  });

  it('has the fields of the newest file of a link', async () => {
    const written: NewEvent[] = [];
    const resolver = IdentityResolver.open({
      file: ':memory:',
      ids,
      append: async (_stream, events) => {
        written.push(...events);
        return { position: 100, revision: 0 };
      },
    });
    await resolver.apply((await logOf('InteractionRecorded.1')).events);
    await resolver.close();
    const newest = goldenOf(`IdentitiesLinked.${SCHEMAS.IdentitiesLinked}`);
    expect(written).toMatchObject([{ type: 'IdentitiesLinked', schema: SCHEMAS.IdentitiesLinked }]);
    expect(fieldsOf(written[0]!.data)).toEqual(fieldsOf(newest.data));
  });
});

describe('the rules of today decide after what was written before', () => {
  it('on a contact: the same again is nothing, another revision a correction', async () => {
    const { events } = await logOf('InteractionRecorded.1', 'InteractionCorrected.1');
    const state = events
      .map((event) => upcast(event) as InteractionEvent)
      .reduce((before, event) => interactionDecider.evolve(before, event), interactionDecider.initialState);
    const corrected = TODAY['InteractionCorrected.1']!.data as InteractionContent;
    const decide = (said: InteractionContent) =>
      interactionDecider.decide({ type: 'RecordInteraction', content: said }, state).map(({ type }) => type);
    expect(state).toMatchObject({ status: 'recorded', content: { revision: 2 }, digests: [corrected.digest] });
    expect(decide(corrected)).toEqual([]);
    expect(decide({ ...corrected, revision: 3 })).toEqual(['InteractionCorrected']);
  });

  it('on a profile: the same again is nothing', async () => {
    const { events } = await logOf('ProfileImported.1');
    const state = events
      .map((event) => upcast(event) as ProfileImported)
      .reduce((before, event) => profileDecider.evolve(before, event), profileDecider.initialState);
    const said = TODAY['ProfileImported.1'] as ProfileImported;
    expect(profileDecider.decide({ type: 'ImportProfile', content: said.data }, state)).toEqual([]);
  });

  it('on who is who, whatever was linked, proposed, confirmed, rejected and retracted', async () => {
    const resolver = IdentityResolver.open({
      file: ':memory:',
      ids: new IdFactory(Buffer.alloc(32)),
      append: () => Promise.resolve({ position: 100, revision: 0 }),
    });
    const { events } = await logOf(
      'InteractionRecorded.1',
      'InteractionCorrected.1',
      'ProfileImported.1',
      'IdentitiesLinked.1',
      'LinkProposed.1',
      'LinkConfirmed.1',
      'LinkRetracted.1',
      'LinkRejected.1',
    );
    await resolver.apply(events);
    expect(await resolver.checkpoint()).toBe(events.at(-1)!.position);
    await resolver.close();
  });
});

describe('the read model of today folds', () => {
  it('what was sealed as it folds what was not', async () => {
    const history = [
      'InteractionRecorded', 'InteractionCorrected', 'ProfileImported', 'IdentitiesLinked', 'LinkRetracted',
    ]; // prettier-ignore
    const [clear, sealed] = await Promise.all(
      [1, 2].map((schema) => folded(...history.map((type) => `${type}.${schema}`))),
    );
    expect(sealed).toEqual(clear);
    expect(sealed!.profiles).toHaveLength(1);
  });

  it('a contact into its entry, and a correction into the same one', async () => {
    const recorded = await folded('InteractionRecorded.1');
    const entry = {
      position: 1,
      identity: 1,
      conversation: 1,
      channel: 1,
      account: 2,
      kind: 0,
      direction: 0,
      occurredAt: instantMs(content.occurredAt),
      recordedAt: instantMs('2025-03-02T09:16:01.000Z'),
      late: 0,
      revision: 1,
      subject: content.subject,
      preview: content.text,
      agent: content.agent,
      outcome: content.outcome,
    };
    const { id, ...shown } = recorded.entry!;
    expect(shown).toEqual(entry);
    expect(uuidOfBytes(id)).toBe(interaction);
    expect(recorded.conversations).toEqual([conversation]);
    expect(recorded.labels).toEqual(['email', 'care@acme.example']);
    // Whoever withholds the number is nobody.
    expect(recorded.identities.map(({ type, value, verified }) => [type, value, verified])).toEqual([
      ['email', 'lucia@example.com', 1],
      ['phone', '+34600111222', 0],
    ]);
    expect(recorded.identities[0]).toMatchObject({ name: 'Lucía Gómez', nameAt: entry.occurredAt });

    const corrected = await folded('InteractionRecorded.1', 'InteractionCorrected.1');
    const newest = TODAY['InteractionCorrected.1']!.data as InteractionContent;
    expect(corrected.entry).toMatchObject({
      ...entry,
      occurredAt: instantMs(newest.occurredAt),
      late: 1,
      revision: 2,
      subject: newest.subject,
      preview: newest.text,
      outcome: 'answered',
    });
    expect(corrected.timeline).toEqual([
      {
        customer: 1,
        occurredAt: instantMs(newest.occurredAt),
        position: 1,
        identity: 1,
        channel: 1,
        kind: 0,
        direction: 0,
      },
    ]);
  });

  it('a profile into its row and its own identity', async () => {
    const { profiles, identities } = await folded('ProfileImported.1');
    expect(profiles).toMatchObject([{ identity: 1, position: 1 }]);
    const { data } = TODAY['ProfileImported.1'] as ProfileImported;
    expect(JSON.parse(profiles[0]!.data)).toEqual(without(data, 'profile', 'identities', 'digest'));
    expect(identities.map(({ type, value, name }) => [type, value, name])).toEqual([
      ['profile', 'crm:4711', 'Lucía Gómez Ruiz'],
      ['email', 'lucia@example.com', null],
      ['phone', '+34600111222', null],
    ]);
  });

  it('consents and preferences into rows under their identity, those of a profile at its import', async () => {
    const { consents, preferences } = await folded(
      'InteractionRecorded.1',
      'ProfileImported.1',
      'ConsentRecorded.1',
      'PreferenceStated.1',
    );
    const imported = { identity: 3, position: 2, channel: '', until: null, evidence: null, by: null };
    const at = instantMs('2025-03-02T09:16:11.000Z');
    const until = instantMs('2026-03-02T00:00:00.000Z');
    expect(consents).toMatchObject([
      { ...imported, purpose: 'email', granted: 1 },
      { ...imported, purpose: 'marketing', granted: 0 },
      { identity: 1, position: 3, purpose: 'marketing', channel: 'email', granted: 0, at, until, by: 'abcdefgh' },
    ]);
    expect(consents[2]!.evidence).toBe('lo pidió por teléfono');
    expect(preferences).toEqual([
      { identity: 1, position: 4, purpose: 'orders', channel: null, at, until, evidence: 'lo dijo en la tienda', by: 'user:mika' },
    ]);
  }); // prettier-ignore

  it('a look and a reveal into rows under the identity that was opened', async () => {
    const { access, identities } = await folded('InteractionRecorded.1', 'TimelineViewed.1', 'PersonalDataRevealed.1');
    const keyOf = (id: string) => identities.find((identity) => uuidOfBytes(identity.id) === id)!.key;
    expect(access.map(({ revealed, ...row }) => ({ ...row, revealed: revealed && uuidOfBytes(revealed) }))).toEqual([
      {
        position: 2,
        identity: keyOf(phone),
        by: 'abcdefgh',
        at: instantMs('2025-03-02T09:16:08.000Z'),
        saw: 'header timeline',
        reads: 3,
        field: null,
        revealed: null,
        reason: 'complaint',
      },
      {
        position: 3,
        identity: keyOf(email),
        by: 'user:mika',
        at: instantMs('2025-03-02T09:16:10.000Z'),
        saw: null,
        reads: 1,
        field: 'identifier',
        revealed: phone,
        reason: 'call-back',
      },
    ]);
    // Whoever was looked at and is nobody here leaves no row, and stops nobody.
    expect((await folded('TimelineViewed.1')).access).toEqual([]);
  });

  it('a note and a commitment into entries, and an end of the commitment into what has become of it', async () => {
    const before = ['InteractionRecorded.1', 'NoteAdded.1', 'CommitmentMade.1'];
    const open = await folded(...before);
    const entry = { identity: 1, conversation: 1, channel: 1, account: 2, direction: 2, late: 0, revision: 1 };
    expect(open.entries.slice(1)).toMatchObject([
      { ...entry, kind: 8, preview: 'Lucía prefiere que la llamen.', agent: 'agent-7', outcome: null },
      { ...entry, kind: 9, preview: 'Llamar a Lucía con la fecha de entrega.', outcome: 'open' },
    ]);
    const row = {
      position: 3,
      identity: 1,
      conversation: 1,
      text: 'Llamar a Lucía con la fecha de entrega.',
      dueAt: instantMs('2025-03-04T09:00:00.000Z'),
      madeAt: instantMs('2025-03-02T09:16:12.000Z'),
      agent: 'agent-7',
    };
    expect(open.commitments).toMatchObject([{ ...row, status: 'open', endedPosition: null }]);
    for (const [end, status] of [
      ['CommitmentKept.1', 'kept'],
      ['CommitmentWithdrawn.1', 'withdrawn'],
    ] as const) {
      const ended = await folded(...before, end);
      expect(ended.commitments).toMatchObject([{ ...row, status, endedPosition: 4 }]);
      expect(ended.entries.at(-1)).toMatchObject({ ...entry, outcome: status });
    }
    // What belongs to nobody any more leaves no row, and stops nobody.
    expect((await folded('NoteAdded.1', 'CommitmentMade.1', 'CommitmentKept.1')).entries).toEqual([]);
  });

  it('the times of an identity into a row each, with the contacts that lie in them', async () => {
    const { entry, timeline, identities } = await folded('InteractionRecorded.1', 'IdentityErasDecided.1');
    const [whole, part] = [email, era].map((id) => identities.find((row) => uuidOfBytes(row.id) === id)!);
    const handedOver = Date.UTC(2025, 2, 3);
    expect(whole).toMatchObject({ whole: null, heldFrom: handedOver, heldUntil: null, name: null });
    expect(part).toMatchObject({
      type: 'email',
      value: 'lucia@example.com',
      whole: whole!.key,
      heldFrom: null,
      heldUntil: handedOver,
      name: 'Lucía Gómez',
      customer: part!.key,
    });
    expect(entry).toMatchObject({ identity: part!.key });
    expect(timeline).toMatchObject([{ identity: part!.key, customer: part!.key }]);
  });

  it('a link into one customer, and its end into two', async () => {
    const linked = await folded('InteractionRecorded.1', 'IdentitiesLinked.1');
    expect(linked.customers).toEqual({ [email]: 1, [phone]: 1 });
    expect(linked.links).toMatchObject([
      { status: 'active', evidence: 'same-interaction', confidence: 0.873, rule: 'rules-1', agent: null, reason: null },
    ]);
    expect(Buffer.from(linked.links[0]!.id).equals(bytesOfUuid(linkA))).toBe(true);

    const parted = await folded('InteractionRecorded.1', 'IdentitiesLinked.1', 'LinkRetracted.1');
    expect(parted.customers).toEqual({ [email]: 1, [phone]: 2 });
    expect(parted.links).toMatchObject([
      {
        status: 'retracted',
        agent: 'agent-7',
        reason: 'the phone is the office one',
        firstPosition: 2,
        lastPosition: 3,
      },
    ]);
  });

  it('a proposal into nothing but itself, until an agent has ruled', async () => {
    const before = ['InteractionRecorded.1', 'ProfileImported.1', 'LinkProposed.1'];
    const apart = { [email]: 1, [phone]: 2, [profile]: 3 };
    const proposed = await folded(...before);
    expect(proposed.customers).toEqual(apart);
    const row = { status: 'proposed', reason: 'conflicting-profiles', confidence: 0.98 };
    expect(proposed.links).toMatchObject([{ ...row, evidence: 'unknown' }]);
    expect((await folded(...before.with(2, 'LinkProposed.2'))).links).toMatchObject([
      { ...row, evidence: 'profile-import' },
    ]);

    const confirmed = await folded(...before, 'LinkConfirmed.1');
    expect(confirmed.customers).toEqual({ ...apart, [profile]: 1 });
    expect(confirmed.links).toMatchObject([{ status: 'active', agent: 'agent-7' }]);

    const rejected = await folded(...before, 'LinkRejected.1');
    expect(rejected.customers).toEqual(apart);
    expect(rejected.links).toMatchObject([
      { status: 'rejected', agent: 'agent-7', reason: 'two people of one household' },
    ]);
  });
});
