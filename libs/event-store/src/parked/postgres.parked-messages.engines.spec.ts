import type { PostgresPool } from '#libs/kernel/postgres.js';
import { postgresForTests } from '../../../../test/engines/postgres/postgres-server.js';
import { openOperations } from '../postgres/operations-schema.js';
import { parkedMessagesContract } from './parked-messages.contract.js';
import { PostgresParkedMessages } from './postgres.parked-messages.js';

const newAddress = postgresForTests();

let pool: PostgresPool;
parkedMessagesContract('PostgresParkedMessages', {
  open: async () => {
    pool = await openOperations(newAddress());
    return new PostgresParkedMessages(pool);
  },
  close: () => pool.end(),
});
