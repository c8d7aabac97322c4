import { postgresForTests } from '../../../../test/engines/postgres/postgres-server.js';
import { inServerFiles } from '../../../../test/engines/postgres/server-files.js';
import { PostgresReadModelHome } from '../read-model/postgres/postgres.read-model-home.js';
import type { ReadModelHome } from '../read-model/read-model-home.port.js';
import { erasureContract } from './erasure.contract.js';

const newAddress = postgresForTests();
const addresses = new Map<ReadModelHome, string>();

erasureContract('postgres', {
  newHome: () => {
    const url = newAddress();
    const home = new PostgresReadModelHome(url);
    addresses.set(home, url);
    return home;
  },
  inFiles: (home, texts) => inServerFiles(addresses.get(home)!, texts),
  runs: 12,
});
