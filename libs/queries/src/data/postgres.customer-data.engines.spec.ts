import { PostgresReadModel } from '#libs/projections/read-model/postgres/postgres.read-model.js';
import { postgresForTests } from '../../../../test/engines/postgres/postgres-server.js';
import { customerDataContract } from './customer-data.contract.js';

const newAddress = postgresForTests();

customerDataContract('postgres', () => PostgresReadModel.open({ url: newAddress() }));
