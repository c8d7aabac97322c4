import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesOfUuid, type Uuid } from '#libs/kernel';
import { openSqlite } from '#libs/kernel/sqlite.js';
import { MasterKey } from '../../master-key/master-key.js';
import { keyVaultContract } from '../key-vault.contract.js';
import type { KyselyKeyVault } from '../kysely.key-vault.js';
import { openSqliteKeyVault } from './sqlite.key-vault.js';

const dir = mkdtempSync(join(tmpdir(), 'hilo-keys-'));
afterAll(() => rmSync(dir, { recursive: true }));

const newKey = (): MasterKey => new MasterKey(randomBytes(32));
let master = newKey();
let file = '';
const open = (masters = [master], more: { readonly?: boolean; cachedKeys?: number } = {}) =>
  openSqliteKeyVault({ file, masters, ...more });
const openNew = (): Promise<KyselyKeyVault> => {
  file = join(dir, `${randomUUID()}.db`);
  master = newKey();
  return open();
};

keyVaultContract('SqliteKeyVault', {
  open: openNew,
  beside: () => open([master], { readonly: true }),
  reopen: () => open(),
});

const bytesOnDisk = (): Buffer =>
  Buffer.concat(
    readdirSync(dir)
      .filter((name) => join(dir, name).startsWith(file))
      .map((name) => readFileSync(join(dir, name))),
  );

const wrappedOf = (identity: Uuid): Buffer => {
  const db = openSqlite(file, { readonly: true });
  try {
    const row = db
      .prepare('SELECT wrapped FROM data_key WHERE identity = ?')
      .first<{ wrapped: ArrayBuffer }>([bytesOfUuid(identity)]);
    return Buffer.from(new Uint8Array(row!.wrapped));
  } finally {
    db.close();
  }
};

describe('SqliteKeyVault', () => {
  let vault: KyselyKeyVault;
  beforeEach(async () => {
    vault = await openNew();
  });
  afterEach(() => vault.close());

  it('keeps its file to its owner', () => {
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('keeps no key in clear, and nothing of a destroyed one in any file', async () => {
    const identities = Array.from({ length: 300 }, () => randomUUID());
    const keys = await vault.obtain(identities);
    const gone = identities[7]!;
    const wrapped = wrappedOf(gone);
    expect(bytesOnDisk().includes(wrapped)).toBe(true);
    for (const { secret } of keys.values()) expect(bytesOnDisk().includes(secret)).toBe(false);
    expect(bytesOnDisk().includes(master.secret)).toBe(false);
    await vault.destroy(gone);
    expect(bytesOnDisk().includes(wrapped)).toBe(false);
    expect(bytesOnDisk().includes(wrappedOf(identities[8]!))).toBe(true);
  });

  it('refuses another master key, and says what is lost', async () => {
    const identity = randomUUID();
    await vault.obtain([identity]);
    await vault.close();
    await expect(open([newKey()])).rejects.toMatchObject({
      code: 'KEY_VAULT.MASTER_KEY_MISMATCH',
      message: expect.stringContaining('no sealed content can be read') as unknown,
    });
    vault = await open();
    expect((await vault.find([identity])).size).toBe(1);
  });

  it('refuses a wrapped key that was put in the place of another', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    await vault.obtain([a, b]);
    await vault.close();
    const db = openSqlite(file);
    db.prepare(
      'UPDATE data_key SET wrapped = (SELECT wrapped FROM data_key WHERE identity = ?) WHERE identity = ?',
    ).run([bytesOfUuid(a), bytesOfUuid(b)]);
    db.close();
    vault = await open();
    expect((await vault.find([a])).size).toBe(1);
    await expect(vault.find([b])).rejects.toMatchObject({ code: 'PRIVACY.SEAL_BROKEN' });
  });

  it('holds no more keys in memory than it may, and finds the others again', async () => {
    await vault.close();
    vault = await open([master], { cachedKeys: 100 });
    const identities = Array.from({ length: 1000 }, () => randomUUID());
    const keys = await vault.obtain(identities);
    expect(identities.filter((identity) => vault.cached(identity)).length).toBeLessThanOrEqual(100);
    expect(await vault.find(identities)).toEqual(keys);
  });

  describe('changes its master key', () => {
    const identities = Array.from({ length: 2500 }, () => randomUUID());

    it('so that the new one opens everything and the old one nothing', async () => {
      const keys = await vault.obtain(identities);
      await vault.destroy(identities[3]!);
      const next = newKey();
      const heard: number[] = [];
      expect(await vault.rotate(next, { report: (done) => heard.push(done) })).toBe(true);
      expect(heard.at(-1)).toBe(2500);
      expect(await vault.rotate(next)).toBe(true);
      await vault.close();
      await expect(open([master])).rejects.toMatchObject({ code: 'KEY_VAULT.MASTER_KEY_MISMATCH' });
      vault = await open([next]);
      const found = await vault.find(identities);
      expect(found.size).toBe(2499);
      for (const [identity, key] of found) expect(key).toEqual(keys.get(identity));
    });

    it('in pieces: stopped in between it works with both keys, and goes on', async () => {
      const keys = await vault.obtain(identities);
      const next = newKey();
      const stop = new AbortController();
      expect(await vault.rotate(next, { signal: stop.signal, report: () => stop.abort() })).toBe(false);
      await vault.close();
      await expect(open([master])).rejects.toMatchObject({ code: 'KEY_VAULT.ROTATION_UNFINISHED' });
      await expect(open([next])).rejects.toMatchObject({ code: 'KEY_VAULT.MASTER_KEY_MISMATCH' });
      vault = await open([master, next]);
      expect(await vault.find(identities)).toEqual(keys);
      const late = randomUUID();
      await vault.obtain([late]);
      await expect(vault.rotate(newKey())).rejects.toMatchObject({ code: 'KEY_VAULT.ROTATION_UNFINISHED' });
      expect(await vault.rotate(next)).toBe(true);
      await vault.close();
      vault = await open([next]);
      expect((await vault.find([...identities, late])).size).toBe(2501);
    });
  });

  it('leaves no write-ahead log behind when it is closed', async () => {
    await vault.obtain([randomUUID()]);
    await vault.close();
    expect(existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 0).toBe(false);
    vault = await open();
  });
});
