import fc from 'fast-check';
import { bytesOfUuid } from '#libs/kernel';
import type { ReadModel } from '#libs/projections';
import { Labels } from '../shared/labels.js';
import { entryText, Entries, readEntry } from './entries.js';

const INTERACTION = '0a1b2c3d-4e5f-8071-8293-a4b5c6d7e8f9';
const CONVERSATION = 'f9e8d7c6-b5a4-8392-8170-5f4e3d2c1b0a';

export interface EntriesUnderTest {
  readModel: ReadModel;
  /** The same rows, to write to. */
  db: ReadModel['db'];
}

let open: () => Promise<EntriesUnderTest>;

/** That entries are shown as they were stored, on every engine of the read model. */
export const entriesContract = (name: string, opened: () => Promise<EntriesUnderTest>): void => {
  open = opened;
  describe(`entries in ${name}`, rules);
};

const rules = (): void => {
  let readModel: ReadModel;
  let db: ReadModel['db'];
  beforeAll(async () => {
    ({ readModel, db } = await open());
    await db.insertInto('label').values([{ key: 1, text: 'email' }, { key: 2, text: 'care@acme.example' }]).execute(); // prettier-ignore
    await db
      .insertInto('conversation')
      .values({ key: 9, id: bytesOfUuid(CONVERSATION), tenant: 1 })
      .execute();
    await db
      .insertInto('entry')
      .values({
        position: 7, id: bytesOfUuid(INTERACTION), identity: 3, conversation: 9, channel: 1, account: 2, kind: 0,
        direction: 0, occurredAt: 1_772_442_900_000, recordedAt: 1_772_442_900_123, late: 1, revision: 2,
        subject: null, preview: null, agent: null, outcome: null,
      })
      .execute(); // prettier-ignore
  });
  afterAll(async () => {
    if (db !== readModel.db) await db.destroy();
    await readModel.close();
  });

  const read = async () => {
    const found = await readModel.db
      .selectFrom('entry')
      .innerJoin('conversation', 'conversation.key', 'entry.conversation')
      .select(entryText(readModel.db))
      .execute();
    return found.map(({ text }) => readEntry(text));
  };

  it('show every column of a contact, and leave out what it lacks', async () => {
    const entries = new Entries(readModel, new Labels(readModel));
    expect(await entries.show(await read())).toEqual([
      {
        id: INTERACTION,
        conversation: CONVERSATION,
        channel: 'email',
        account: 'care@acme.example',
        kind: 'message',
        direction: 'inbound',
        occurredAt: '2026-03-02T09:15:00.000Z',
        recordedAt: '2026-03-02T09:15:00.123Z',
        position: 7,
        late: true,
        corrected: true,
      },
    ]);
  });

  it('give back any text as it was written', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 100 }).filter((value) => !value.includes('\0'));
    await fc.assert(
      fc.asyncProperty(text, text, async (subject, preview) => {
        await db.updateTable('entry').set({ subject, preview, agent: null, outcome: '' }).execute();
        expect(await read()).toEqual([expect.objectContaining({ subject, preview, agent: null, outcome: '' })]);
      }),
    );
  });
};
