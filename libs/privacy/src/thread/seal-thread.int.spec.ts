import { randomBytes, randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MasterKey } from '../master-key/master-key.js';
import { sealText, type SealJob } from '../seal/seal-texts.js';
import { unseal } from '../seal/cipher.js';
import { keyVaultContract } from '../vault/key-vault.contract.js';
import type { KyselyKeyVault } from '../vault/kysely.key-vault.js';
import { openSqliteKeyVault } from '../vault/sqlite/sqlite.key-vault.js';
import { SealServer } from './seal-server.js';
import type { ToSealThread } from './seal-thread.protocol.js';
import { SealThread } from './seal-thread.js';

const dir = mkdtempSync(join(tmpdir(), 'hilo-seal-thread-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** What serves in the thread, with everything copied on the way as between threads. */
class Port extends EventEmitter {
  private readonly server = new SealServer();
  asked = 0;

  postMessage(message: ToSealThread): void {
    this.asked += 1;
    const copy = structuredClone(message);
    setImmediate(() => this.emit('message', structuredClone(this.server.serve(copy))));
  }
}

const failures: Error[] = [];
const newThread = (port = new Port()): SealThread => new SealThread(port, (error) => failures.push(error));

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

const jobOf = (n: number): SealJob => ({
  secret: randomBytes(32),
  version: n + 1,
  bound: `event ${n}`,
  text: `what ${n} said: čau ${'x'.repeat(n)}`,
});
const HEADER_BYTES = 3;

describe('the sealing thread', () => {
  it.each([1, 200])('seals %i texts in their order, so that the same keys open them', async (count) => {
    const port = new Port();
    const jobs = Array.from({ length: count }, (_, n) => jobOf(n));
    const sealed = await newThread(port).seal(jobs);
    expect(port.asked).toBe(count === 1 ? 0 : 1);
    const texts = jobs.map(({ secret, bound }, i) =>
      unseal(secret, bound, Buffer.from(sealed[i]!, 'base64'), HEADER_BYTES).toString(),
    );
    expect(texts).toEqual(jobs.map(({ text }) => text));
    const lengths = jobs.map((job) => sealText(job).length);
    expect(sealed.map((text) => text.length)).toEqual(lengths);
  });

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
    expect(failures.map(({ message }) => message)).toEqual(['the sealing thread failed: out of memory']);
  });
});
