import { SqliteReadModel } from '#libs/projections/read-model/sqlite/sqlite.read-model.js';
import { previewLinkContract } from './preview-link.contract.js';

previewLinkContract('sqlite', async () => SqliteReadModel.open({ file: ':memory:' }), 150);
