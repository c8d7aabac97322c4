import { randomBytes, randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MasterKey } from '../../master-key/master-key.js';
import { keyVaultContract } from '../key-vault.contract.js';
import type { KyselyKeyVault } from '../kysely.key-vault.js';
import { openSqliteKeyVault } from '../sqlite/sqlite.key-vault.js';
import { VaultServer } from './vault-server.js';
import type { ToVaultThread } from './vault-thread.protocol.js';
import { VaultThread } from './vault-thread.js';

const dir = mkdtempSync(join(tmpdir(), 'hilo-vault-thread-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** What serves in the thread, with everything copied on the way as between threads. */
class Port extends EventEmitter {
  private readonly server = new VaultServer();

  postMessage(message: ToVaultThread): void {
    const copy = structuredClone(message);
    setImmediate(() => this.emit('message', structuredClone(this.server.serve(copy))));
  }
}

const failures: Error[] = [];
const newThread = (port = new Port()): VaultThread => new VaultThread(port, (error) => failures.push(error));

let file = '';
const masters = [new MasterKey(randomBytes(32))];
const open = (): Promise<KyselyKeyVault> => openSqliteKeyVault({ file, masters, thread: newThread() });

keyVaultContract('SqliteKeyVault whose file a thread keeps', {
  open: () => {
    file = join(dir, `${randomUUID()}.db`);
    return open();
  },
  beside: () => openSqliteKeyVault({ file, masters, readonly: true }),
  reopen: open,
});

describe('the thread of the key vault', () => {
  it('keeps the file to its owner and leaves no log of it behind', async () => {
    const vault = await openSqliteKeyVault({ file: join(dir, 'own.db'), masters, thread: newThread() });
    await vault.obtain([randomUUID()]);
    await vault.close();
    expect(statSync(join(dir, 'own.db')).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir).filter((name) => name === 'own.db-wal' && statSync(join(dir, name)).size > 0)).toEqual([]);
  });

  it('ends once, however often it is closed, and refuses what comes later', async () => {
    failures.length = 0;
    const port = new Port();
    const thread = newThread(port);
    await thread.close();
    port.emit('exit', 0);
    await thread.close();
    await expect(thread.exec('SELECT 1')).rejects.toMatchObject({ code: 'KEY_VAULT.FAILED' });
    expect(failures).toEqual([]);
  });

  it('hands on what the engine says, under its code', async () => {
    const thread = newThread();
    await thread.open(join(dir, 'errors.db'));
    const refused = thread.query('SELECT * FROM no_table', []);
    await expect(refused).rejects.toThrow('no such table');
    await expect(refused).rejects.toMatchObject({ code: 'SQLITE_ERROR' });
    await thread.close();
  });

  it('refuses everything once it has died, and says so once', async () => {
    failures.length = 0;
    const port = new Port();
    const thread = newThread(port);
    const asked = thread.query('SELECT 1', []);
    port.emit('error', new Error('out of memory'));
    port.emit('exit', 1);
    await expect(asked).rejects.toMatchObject({ code: 'KEY_VAULT.FAILED' });
    await expect(thread.exec('SELECT 1')).rejects.toMatchObject({ code: 'KEY_VAULT.FAILED' });
    expect(failures.map(({ message }) => message)).toEqual(['the thread of the key vault failed: out of memory']);
  });
});
