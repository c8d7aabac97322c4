import { SqliteReadModel } from '#libs/projections/read-model/sqlite/sqlite.read-model.js';
import { asOfContract } from './as-of.contract.js';

asOfContract(
  'sqlite',
  async () => SqliteReadModel.open({ file: ':memory:' }),
  Number(process.env.HILO_AS_OF_RUNS ?? 60),
);
