import { PostgresReadModel } from '#libs/projections/read-model/postgres/postgres.read-model.js';
import { postgresForTests } from '../../../../test/engines/postgres/postgres-server.js';
import { previewLinkContract } from './preview-link.contract.js';

const newAddress = postgresForTests();

previewLinkContract('postgres', () => PostgresReadModel.open({ url: newAddress(), connections: 2 }), 15);
