import { SqliteReadModel } from '#libs/projections/read-model/sqlite/sqlite.read-model.js';
import { entriesContract } from './entries.contract.js';

entriesContract('sqlite', async () => {
  const readModel = SqliteReadModel.open({ file: ':memory:' });
  return { readModel, db: readModel.db };
});
