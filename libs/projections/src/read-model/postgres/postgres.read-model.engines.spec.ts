import { postgresForTests } from '../../../../../test/engines/postgres/postgres-server.js';
import type { ReadModel } from '../read-model.port.js';
import { readModelContract } from '../read-model.contract.js';
import { PostgresReadModel } from './postgres.read-model.js';

const newAddress = postgresForTests();
const addresses = new Map<ReadModel, string>();

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
