import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresForTests } from '../../../../../test/engines/postgres/postgres-server.js';
import { MasterKey } from '../../master-key/master-key.js';
import { beginVaultCopy, copyVault, dataKeyPages } from '../copy-vault.js';
import type { KyselyKeyVault } from '../kysely.key-vault.js';
import { openSqliteKeyVault, openSqliteVaultTables } from '../sqlite/sqlite.key-vault.js';
import { openPostgresKeyVault, openPostgresVaultTables } from './postgres.key-vault.js';

const newDatabase = postgresForTests();
const master = new MasterKey(randomBytes(32));

let directory: string;
let url: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hilo-vault-'));
  url = newDatabase();
});
afterEach(() => rmSync(directory, { recursive: true }));

const file = (): string => join(directory, 'keys.db');

const withVault = async <T>(opening: Promise<KyselyKeyVault>, work: (vault: KyselyKeyVault) => Promise<T>) => {
  const vault = await opening;
  try {
    return await work(vault);
  } finally {
    await vault.close();
  }
};
const inOriginal = <T>(work: (vault: KyselyKeyVault) => Promise<T>, masters = [master]): Promise<T> =>
  withVault(openSqliteKeyVault({ file: file(), masters }), work);
const inCopy = <T>(work: (vault: KyselyKeyVault) => Promise<T>, masters = [master]): Promise<T> =>
  withVault(openPostgresKeyVault({ url, masters }), work);

const copy = async (options: Parameters<typeof copyVault>[2] = {}): Promise<boolean> => {
  const [from, to] = [await openSqliteVaultTables(file()), await openPostgresVaultTables(url)];
  try {
    await beginVaultCopy(from, to.db);
    return await copyVault(from, to.db, options);
  } finally {
    await from.destroy();
    await to.close();
  }
};

describe('a copy of a key vault', () => {
  it('has its id, its keys under their versions, and what was destroyed and erased', async () => {
    const ids = Array.from({ length: 1203 }, () => randomUUID());
    const [destroyed, renewed, erased] = ids as [string, string, string];
    const erasure = randomUUID();
    const { id, keys } = await inOriginal(async (vault) => {
      await vault.obtain(ids);
      await vault.destroy(destroyed);
      await vault.destroy(renewed);
      await vault.obtain([renewed]);
      await vault.beginErasure({ erasure, tenant: 'acme' });
      await vault.erase(erasure, [erased]);
      return { id: vault.id, keys: await vault.find(ids) };
    });
    const stop = new AbortController();
    const seen: number[] = [];
    const onProgress = (done: number): void => {
      seen.push(done);
      stop.abort();
    };
    expect(await copy({ signal: stop.signal, onProgress })).toBe(false);
    expect(seen).toEqual([500]);
    for (let again = 0; again < 2; again++) expect(await copy()).toBe(true);
    await inCopy(async (vault) => {
      expect(vault.id).toBe(id);
      expect(await vault.find(ids)).toEqual(keys);
      expect(keys.size).toBe(1201);
      expect((await vault.find([renewed])).get(renewed)).toMatchObject({ version: 2 });
      expect((await vault.obtain([erased])).size).toBe(0);
      expect((await vault.obtain([destroyed])).get(destroyed)).toMatchObject({ version: 2 });
      expect(await vault.openErasures()).toEqual([{ erasure, tenant: 'acme' }]);
      expect(await vault.erasedBy(erasure)).toEqual([{ id: erased, keyDestroyed: true }]);
    });
  });

  it('takes over what was destroyed, ended and wrapped anew since', async () => {
    const [kept, gone] = [randomUUID(), randomUUID()];
    const erasure = randomUUID();
    const secret = await inOriginal(async (vault) => {
      await vault.beginErasure({ erasure, tenant: 'acme' });
      return (await vault.obtain([kept, gone])).get(kept)!;
    });
    await copy();
    const next = new MasterKey(randomBytes(32));
    await inOriginal(async (vault) => {
      await vault.destroy(gone);
      await vault.endErasure(erasure);
      expect(await vault.rotate(next)).toBe(true);
    });
    await copy();
    await expect(openPostgresKeyVault({ url, masters: [master] })).rejects.toMatchObject({ code: 'KEY_VAULT.MASTER_KEY_MISMATCH' }); // prettier-ignore
    await inCopy(
      async (vault) => {
        expect(await vault.find([kept, gone])).toEqual(new Map([[kept, secret]]));
        expect(await vault.openErasures()).toEqual([]);
      },
      [next],
    );
  });

  it('never revives what was destroyed or erased in it', async () => {
    const [destroyed, erased, later] = [randomUUID(), randomUUID(), randomUUID()];
    await inOriginal((vault) => vault.obtain([destroyed, erased, later]));
    await copy();
    const last = await inCopy(async (vault) => {
      await vault.destroy(destroyed);
      await vault.erase(randomUUID(), [erased]);
      await vault.destroy(later);
      return (await vault.obtain([later])).get(later)!;
    });
    await copy();
    await inCopy(async (vault) => {
      expect(await vault.find([destroyed, erased, later])).toEqual(new Map([[later, last]]));
      expect((await vault.obtain([erased])).size).toBe(0);
    });
  });

  it('is refused where there is another vault, and leaves that as it is', async () => {
    const identity = randomUUID();
    await inOriginal((vault) => vault.obtain([identity]));
    const other = await inCopy(async (vault) => ({ id: vault.id, key: await vault.obtain([identity]) }));
    await expect(copy()).rejects.toMatchObject({ code: 'COPY.OTHER_INSTALLATION' });
    await inCopy(async (vault) => {
      expect(vault.id).toBe(other.id);
      expect(await vault.find([identity])).toEqual(other.key);
    });
    const tables = await openSqliteVaultTables(file());
    const pages = [];
    for await (const page of dataKeyPages(tables)) pages.push(page.length);
    expect(pages).toEqual([1]);
    await tables.destroy();
  });
});
