import { SqliteReadModel } from '#libs/projections/read-model/sqlite/sqlite.read-model.js';
import { customerDataContract } from './customer-data.contract.js';

customerDataContract('sqlite', async () => SqliteReadModel.open({ file: ':memory:' }));
