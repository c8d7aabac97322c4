import { openPostgres } from '#libs/kernel/postgres.js';
import { PostgresReadModel, readModelSchema } from '#libs/projections/read-model/postgres/postgres.read-model.js';
import { postgresForTests } from '../../../../test/engines/postgres/postgres-server.js';
import { entriesContract } from './entries.contract.js';

const newAddress = postgresForTests();

entriesContract('postgres', async () => {
  const url = newAddress();
  const readModel = await PostgresReadModel.open({ url });
  return { readModel, db: openPostgres({ url, schema: readModelSchema(url), room: 'TEST' }).kysely() };
});
