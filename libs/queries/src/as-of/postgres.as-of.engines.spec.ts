import { PostgresReadModel } from '#libs/projections/read-model/postgres/postgres.read-model.js';
import { postgresForTests } from '../../../../test/engines/postgres/postgres-server.js';
import { asOfContract } from './as-of.contract.js';

const newAddress = postgresForTests();

asOfContract(
  'postgres',
  () => PostgresReadModel.open({ url: newAddress(), connections: 2 }),
  Number(process.env.HILO_AS_OF_RUNS ?? 10),
);
