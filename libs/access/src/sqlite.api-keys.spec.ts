import { apiKeysContract } from './api-keys.contract.js';
import { SqliteApiKeys } from './sqlite.api-keys.js';

apiKeysContract('SqliteApiKeys', (clock) => SqliteApiKeys.open({ dataDir: ':memory:', clock }));
