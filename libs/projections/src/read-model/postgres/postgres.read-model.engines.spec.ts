import { postgresForTests } from '../../../../../test/engines/postgres/postgres-server.js';
import type { ReadModel } from '../read-model.port.js';
import { readModelContract } from '../read-model.contract.js';
import { gathered } from '../statement.js';
import { PostgresReadModel } from './postgres.read-model.js';

const newAddress = postgresForTests();
const addresses = new Map<ReadModel, string>();

it('tells of a bulk write that failed with a later one, and keeps neither', async () => {
  const url = newAddress();
  const readModel = await PostgresReadModel.open({ url, bulk: true });
  const put = gathered<{ key: number; text: string }>(readModel.db, 'label', ['key', 'text']);
  const write = (...keys: number[]) =>
    readModel.transaction(async (session) => {
      for (const key of keys) await session.run(put, { key, text: `text ${key}` });
    });
  await write(1);
  await write(1, 2, 3, 4, 5);
  await expect(write(6)).rejects.toMatchObject({ code: 'READ_MODEL.FAILED', facts: { sqlState: '23505' } });
  await write(7);
  await readModel.finishBulk();
  expect(await readModel.db.selectFrom('label').select('key').execute()).toEqual([{ key: 7 }]);

  await write(7);
  await expect(readModel.finishBulk()).rejects.toMatchObject({ code: 'READ_MODEL.FAILED' });
  await readModel.close();
}, 30_000);

readModelContract('postgres', {
  open: async () => {
    const url = newAddress();
    const readModel = await PostgresReadModel.open({ url });
    addresses.set(readModel, url);
    return readModel;
  },
  openReader: (of) => PostgresReadModel.open({ url: addresses.get(of)!, readonly: true }),
  close: (readModel) => readModel.close(),
});
