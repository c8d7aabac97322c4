import { createHash } from 'node:crypto';
import { SCHEMAS, upcast } from '#libs/domain';
import { bytesOf, goldenOf, names, openedGolden } from './golden-files.js';
import { todayOf } from './today.js';

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

/** Types that were sealed from their first shape on. */
const SEALED_FROM_THE_START = [
  'NoteAdded',
  'CommitmentMade',
  'CommitmentKept',
  'CommitmentWithdrawn',
  'ConsentRecorded',
  'PreferenceStated',
];

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
