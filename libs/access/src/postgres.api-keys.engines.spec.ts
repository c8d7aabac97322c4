import { FixedClock } from '#libs/kernel';
import { postgresForTests } from '../../../test/engines/postgres/postgres-server.js';
import { apiKeysContract } from './api-keys.contract.js';
import { VERIFIED_FOR_MS } from './api-keys.port.js';
import { PostgresApiKeys } from './postgres.api-keys.js';

const newAddress = postgresForTests();

apiKeysContract('PostgresApiKeys', (clock) => PostgresApiKeys.open({ url: newAddress(), clock }));

describe('PostgresApiKeys', () => {
  const clock = new FixedClock(Date.parse('2025-03-02T09:00:00.000Z'));

  it('lets in at once a key that another program made, and out within 30 s one that it revoked', async () => {
    const url = newAddress();
    const [hub, commandLine] = await Promise.all([1, 2].map(() => PostgresApiKeys.open({ url, clock })));
    const { id, key } = await commandLine!.create({ tenant: 'acme', role: 'analyst' });
    expect(await hub!.verify(key)).toMatchObject({ tenant: 'acme', roles: ['analyst'] });
    await commandLine!.revoke(id);
    clock.advance(VERIFIED_FOR_MS);
    expect(await hub!.verify(key)).toBeUndefined();
    for (const keys of [hub!, commandLine!]) await keys.close();
  });

  it('gives a key one successor, whichever programs rotate it', async () => {
    const url = newAddress();
    const programs = await Promise.all([1, 2, 3].map(() => PostgresApiKeys.open({ url, clock })));
    const { id } = await programs[0]!.create({ tenant: 'acme', role: 'agent' });
    const asked = await Promise.allSettled(programs.map((keys) => keys.rotate(id, { overlapMs: 1000 })));
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await programs[0]!.list()).toHaveLength(2);
    for (const keys of programs) await keys.close();
  });
});
