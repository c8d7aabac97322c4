import { randomBytes, randomUUID } from 'node:crypto';
import { bytesOfUuid } from '#libs/kernel';
import { connectPostgres, openPostgres, schemaFor } from '#libs/kernel/postgres.js';
import { postgresForTests } from '../../../../../test/engines/postgres/postgres-server.js';
import { ELSEWHERE, inServerFiles } from '../../../../../test/engines/postgres/server-files.js';
import { MasterKey } from '../../master-key/master-key.js';
import { keyVaultContract } from '../key-vault.contract.js';
import { isPostgresKeyVault, openPostgresKeyVault } from './postgres.key-vault.js';

const newAddress = postgresForTests();
const newKey = (): MasterKey => new MasterKey(randomBytes(32));
let master = newKey();
let url = '';
const open = (readonly = false, masters = [master]) => openPostgresKeyVault({ url, masters, readonly });
const openNew = () => {
  url = newAddress();
  master = newKey();
  return open();
};

keyVaultContract('PostgresKeyVault', { open: openNew, beside: () => open(true), reopen: () => open() });
keyVaultContract('PostgresKeyVault beside another that writes', {
  open: openNew,
  beside: () => open(),
  reopen: () => open(),
});

describe('PostgresKeyVault', () => {
  it('is one vault, whoever opens it first, and gives each identity one key, whoever asks first', async () => {
    url = newAddress();
    master = newKey();
    expect(await isPostgresKeyVault(url)).toBe(false);
    const vaults = await Promise.all([open(), open(), open()]);
    expect(new Set(vaults.map(({ id }) => id)).size).toBe(1);
    expect(await isPostgresKeyVault(url)).toBe(true);
    const identities = Array.from({ length: 600 }, () => randomUUID());
    const keys = await Promise.all(vaults.map((vault) => vault.obtain(identities)));
    for (const found of keys) expect(found).toEqual(keys[0]);
    for (const vault of vaults) await vault.close();
  });

  it('forgets a key that another program destroyed, and gets the next one', async () => {
    const vault = await openNew();
    const other = await open();
    const identity = randomUUID();
    await vault.obtain([identity]);
    await other.obtain([identity]);
    await vault.destroy(identity);
    expect((await other.obtain([identity])).get(identity)!.version).toBe(2);
    expect((await vault.obtain([identity])).get(identity)).toEqual(other.cached(identity));
    await vault.destroy(identity);
    for (const end = Date.now() + 10_000; other.cached(identity) && Date.now() < end;)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(other.cached(identity)).toBeUndefined();
    await other.close();
    await vault.close();
  });

  it('gives no key to who was erased by another program, however they meet', async () => {
    const vault = await openNew();
    const other = await open();
    const erasure = randomUUID();
    await vault.beginErasure({ erasure, tenant: 'acme' });
    const identities = Array.from({ length: 300 }, () => randomUUID());
    const both = [other.obtain(identities), vault.erase(erasure, identities)] as const;
    await Promise.all(both);
    for (const one of [vault, other, await open(true)]) {
      expect(await one.find(identities)).toEqual(new Map());
      if (one !== vault && one !== other) await one.close();
    }
    expect(await other.obtain(identities)).toEqual(new Map());
    const pool = openPostgres({ url, schema: schemaFor(url, 'keys'), room: 'TEST' });
    expect((await pool.query('SELECT 1 FROM data_key WHERE wrapped IS NOT NULL')).rows).toEqual([]);
    await pool.end();
    await other.close();
    await vault.close();
  });

  it('leaves nothing of a destroyed key in the files of its table, nor in the statistics', async () => {
    const vault = await openNew();
    const identities = Array.from({ length: 300 }, () => randomUUID());
    await vault.obtain(identities);
    const pool = openPostgres({ url, schema: schemaFor(url, 'keys'), room: 'TEST' });
    await pool.query('ANALYZE');
    const { rows } = await pool.query<{ wrapped: Buffer }>(
      'SELECT wrapped FROM data_key ORDER BY identity = ANY ($1) DESC',
      [identities.slice(0, 40).map(bytesOfUuid)],
    );
    const wrapped = rows.map((row) => row.wrapped);
    expect([wrapped.map(() => true), ELSEWHERE]).toContainEqual(await inServerFiles(url, wrapped));
    for (const identity of identities.slice(0, 2)) await vault.destroy(identity);
    await vault.beginErasure({ erasure: identities[0]!, tenant: 'acme' });
    await vault.erase(identities[0]!, identities.slice(2, 40));
    expect([wrapped.map((_, index) => index >= 40), ELSEWHERE]).toContainEqual(await inServerFiles(url, wrapped));
    await pool.end();
    await vault.close();
  });

  it('destroys no key half: while somebody reads the state before, it says so', async () => {
    const vault = await openNew();
    const identity = randomUUID();
    await vault.obtain([identity]);
    const reader = await connectPostgres({ url, schema: schemaFor(url, 'keys'), room: 'TEST' });
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await reader.query('SELECT 1');
    await expect(vault.destroy(identity)).rejects.toMatchObject({ code: 'KEY_VAULT.UNAVAILABLE', retryable: true });
    reader.release();
    await vault.close();
  });

  it('goes from one master key to another, and opens with no third', async () => {
    const vault = await openNew();
    const identities = Array.from({ length: 1500 }, () => randomUUID());
    const keys = new Map(await vault.obtain(identities));
    const next = newKey();
    expect(await vault.rotate(next)).toBe(true);
    await vault.close();
    await expect(open(false, [newKey()])).rejects.toMatchObject({ code: 'KEY_VAULT.MASTER_KEY_MISMATCH' });
    const reopened = await open(false, [next]);
    expect(await reopened.find(identities)).toEqual(keys);
    await reopened.close();
  });
});
