import type { PostgresPool } from '#libs/kernel/postgres.js';
import { postgresForTests } from '../../../../test/engines/postgres/postgres-server.js';
import { ELSEWHERE, inServerFiles } from '../../../../test/engines/postgres/server-files.js';
import { openOperations, scrubOperations } from '../postgres/operations-schema.js';
import { parkedMessagesContract } from './parked-messages.contract.js';
import { PostgresParkedMessages } from './postgres.parked-messages.js';

const newAddress = postgresForTests();

let pool: PostgresPool;
let url: string;
parkedMessagesContract('PostgresParkedMessages', {
  open: async () => {
    url = newAddress();
    pool = await openOperations(url);
    return new PostgresParkedMessages(pool);
  },
  close: () => pool.end(),
});

it('keeps nothing of a purged message in the files of the server, once they are scrubbed', async () => {
  url = newAddress();
  pool = await openOperations(url);
  const parked = new PostgresParkedMessages(pool);
  const contents = ['from Ida Rotschwanz', 'from Karl Amsel'];
  const ids: string[] = [];
  for (const bytes of contents)
    ids.push(
      await parked.park({
        tenant: 'acme', channel: 'email', account: 'support', stage: 'parse', reasonCode: 'X.Y', reason: 'of a test',
        receivedAtMs: 1, contentType: 'text/plain', bytes: Buffer.from(bytes),
      }), // prettier-ignore
    );
  await pool.query('ANALYZE parked');
  expect([[true, true], ELSEWHERE]).toContainEqual(await inServerFiles(url, contents));
  await parked.purge(ids[0]!, 'ops', 'erasure');
  expect(await scrubOperations(url)).toBe(true);
  expect([[false, true], ELSEWHERE]).toContainEqual(await inServerFiles(url, contents));
  await pool.end();
});
