import { bulkInsert, gathered, statement } from './statement.js';
import type { ReadModel } from './read-model.port.js';
import type { TextKeyTable } from './read-model.schema.js';

export interface ReadModelContractOptions {
  /** A new, empty read model. */
  open: () => Promise<ReadModel>;
  /** Another reader of the same rows. */
  openReader: (of: ReadModel) => Promise<ReadModel>;
  close: (readModel: ReadModel) => Promise<void>;
}

/** What every engine of the read model promises; each adapter runs it. */
export const readModelContract = (name: string, { open, openReader, close }: ReadModelContractOptions): void => {
  describe(`${name} keeps the promises of a read model`, () => {
    let readModel: ReadModel;
    let reader: ReadModel;
    beforeEach(async () => {
      readModel = await open();
      reader = await openReader(readModel);
    });
    afterEach(async () => {
      await close(reader);
      await close(readModel);
    });

    const add = () =>
      statement<{ key: number; text: string }>((s) =>
        readModel.db.insertInto('label').values({ key: s.key, text: s.text }),
      );
    const find = () =>
      statement<{ text: string }, { key: number }>((s) =>
        readModel.db.selectFrom('label').select('key').where('text', '=', s.text),
      );
    const texts = async (of: ReadModel) =>
      (await of.db.selectFrom('label').select('text').orderBy('key').execute()).map(({ text }) => text);

    it('keeps a transaction whole', async () => {
      await readModel.transaction(async (session) => {
        await session.run(add(), { key: 1, text: 'one' });
        await session.run(add(), { key: 2, text: 'two' });
      });
      expect(await texts(reader)).toEqual(['one', 'two']);
    });

    it('keeps nothing of a transaction that fails, and works on', async () => {
      const failing = readModel.transaction(async (session) => {
        await session.run(add(), { key: 1, text: 'one' });
        throw new Error('half way');
      });
      await expect(failing).rejects.toThrow('half way');
      expect(await texts(reader)).toEqual([]);
      await readModel.transaction(async (session) => session.run(add(), { key: 1, text: 'again' }));
      expect(await texts(reader)).toEqual(['again']);
    });

    it('shows a reader whole transactions only, and the session its own rows', async () => {
      await readModel.transaction(async (session) => {
        await session.run(add(), { key: 7, text: 'own' });
        expect(await session.all(find(), { text: 'own' })).toMatchObject([{ key: 7 }]);
        expect(await texts(reader)).toEqual([]);
      });
      expect(await texts(reader)).toEqual(['own']);
    });

    it('shows a snapshot the rows of its first read, and later ones afterwards', async () => {
      const put = (key: number) =>
        readModel.transaction(async (session) => session.run(add(), { key, text: `text ${key}` }));
      await put(1);
      const count = async (db: ReadModel['db']) => (await db.selectFrom('label').select('key').execute()).length;
      expect(
        await reader.snapshot(async (db) => {
          const before = await count(db);
          await put(2);
          return [before, await count(db)];
        }),
      ).toEqual([1, 1]);
      expect(await count(reader.db)).toBe(2);
      await expect(reader.snapshot(() => Promise.reject(new Error('half way')))).rejects.toThrow('half way');
      expect(await reader.snapshot(count)).toBe(2);
    });

    it.each([0, 1, 63, 64, 65, 100])('inserts %i rows in the order given', async (count) => {
      const rows = Array.from({ length: count }, (_, i) => ({ key: i + 1, text: `row ${i}` }));
      const insert = bulkInsert<{ [C in keyof TextKeyTable]: C extends 'key' ? number : string }>(
        readModel.db,
        'label',
        ['key', 'text'],
      );
      await readModel.transaction(async (session) => session.insert(insert, rows));
      expect(await texts(reader)).toEqual(rows.map(({ text }) => text));
    });

    it.each([1, 3, 4, 70])('keeps %i rows as they are: texts of any kind, bytes, and nothing', async (count) => {
      const texts = ['tab\tline\nreturn\r', '\\N', 'C:\\x41\\.', '\\.', '"quoted", \'so\'', '😀 señal', '', null];
      const rows = Array.from({ length: count }, (_, i) => ({
        position: i + 1,
        identity: 2 ** 40 + i,
        by: texts[i % 7]!,
        at: 1000 - i,
        saw: texts[(i + 1) % 8]!,
        reads: i,
        field: texts[(i + 7) % 8]!,
        revealed: i % 3 === 0 ? null : Buffer.from([0, i, 0x5c, 0x0a, 255]),
        reason: texts[(i + 2) % 8]!,
      }));
      const columns = ['position', 'identity', 'by', 'at', 'saw', 'reads', 'field', 'revealed', 'reason'] as const;
      const insert = bulkInsert<(typeof rows)[number]>(readModel.db, 'access', columns);
      await readModel.transaction(async (session) => session.insert(insert, rows));
      const stored = await reader.db.selectFrom('access').selectAll().orderBy('position').execute();
      expect(stored.map((row) => ({ ...row, revealed: row.revealed && Buffer.from(row.revealed) }))).toEqual(rows);
    });

    it('keeps nothing where what must be there is not, and says so before anything else that fails', async () => {
      const put = (key: number) => ({ key, text: `text ${key}` });
      const insert = bulkInsert<{ key: number; text: string }>(readModel.db, 'label', ['key', 'text']);
      const rows = [1, 2, 3, 4, 5].map(put);
      await readModel.transaction(async (session) => {
        await session.insert(insert, rows);
        session.must(find(), { text: 'text 3' }, () => new Error('it is there'));
      });
      const failing = readModel.transaction(async (session) => {
        session.must(find(), { text: 'text 6' }, () => new Error('no text 6'));
        await session.insert(insert, [put(6), ...rows]);
        await session.all(find(), { text: 'text 6' });
      });
      await expect(failing).rejects.toThrow('no text 6');
      expect(await texts(reader)).toHaveLength(5);
      await readModel.transaction(async (session) => session.insert(insert, [6, 7, 8, 9].map(put)));
      expect(await texts(reader)).toHaveLength(9);
    });

    it('has written what it gathered before anything can see it, and rows before what changes them', async () => {
      const put = gathered<{ key: number; text: string }>(readModel.db, 'label', ['key', 'text'], {
        ignoreKnown: true,
      });
      const rename = {
        ...statement<{ key: number; text: string }>((s) =>
          readModel.db.updateTable('label').set({ text: s.text }).where('key', '=', s.key),
        ),
        late: true,
      };
      const copy = statement<{ from: number }>((s) =>
        readModel.db
          .insertInto('tenant')
          .columns(['key', 'text'])
          .expression((e) => e.selectFrom('label').select(['key', 'text']).where('key', '=', s.from)),
      );
      await readModel.transaction(async (session) => {
        for (let key = 1; key <= 70; key++) await session.run(put, { key, text: `row ${key}` });
        await session.run(put, { key: 5, text: 'again' });
        await session.run(rename, { key: 70, text: 'once' });
        await session.run(rename, { key: 70, text: 'twice' });
        expect(await session.all(find(), { text: 'twice' })).toMatchObject([{ key: 70 }]);
        await session.run(rename, { key: 5, text: 'five' });
        await session.run(copy, { from: 5 });
        await session.run(rename, { key: 5, text: 'six' });
        await session.run(put, { key: 71, text: 'last' });
      });
      expect((await texts(reader)).slice(-2)).toEqual(['twice', 'last']);
      expect((await texts(reader))[4]).toBe('six');
      expect(await reader.db.selectFrom('tenant').select('text').execute()).toEqual([{ text: 'five' }]);
      const failing = readModel.transaction(async (session) => {
        await session.run(put, { key: 72, text: 'gone' });
        await session.run(add(), { key: 71, text: 'known already' });
      });
      await expect(failing).rejects.toThrow();
      expect(await texts(reader)).toHaveLength(71);
    });

    it('refuses a statement with a constant in it, which would not be a slot', () => {
      expect(() =>
        statement<object, { key: number }>(() =>
          readModel.db.selectFrom('label').select('key').where('text', '=', 'x'),
        ),
      ).toThrow('use sql.lit');
    });
  });
};
