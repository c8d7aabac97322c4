import type { InteractionContent, ProfileImported } from '#libs/domain';
import { bytesOfUuid, instantMs, uuidOfBytes } from '#libs/kernel';
import { Projector } from '#libs/projections/projector/projector.js';
import { SqliteReadModel } from '#libs/projections/read-model/sqlite/sqlite.read-model.js';
import { logOf } from './golden-files.js';
import { TODAY, content, conversation, email, era, interaction, linkA, phone, profile, without } from './today.js';

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
