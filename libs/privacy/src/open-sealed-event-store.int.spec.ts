import { randomBytes, randomUUID } from 'node:crypto';
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collect, eventStoreContract, newStream } from '#libs/event-store/event-store.contract.js';
import { openEventStore } from '#libs/event-store/open-event-store.js';
import { parkedOf } from '#libs/event-store/parked/parked-messages.contract.js';
import { SqliteEventStore } from '#libs/event-store/sqlite/sqlite.event-store.js';
import { SystemClock, type Uuid } from '#libs/kernel';
import { makeMasterKey, masterKeyFile, nextMasterKeyFile } from './master-key/master-key-files.js';
import { openKeyVault } from './open-key-vault.js';
import { openSealedEventLog, openSealedEventStore, type SealedEventStoreSet } from './open-sealed-event-store.js';
import { EventSealer } from './seal/event-sealer.js';
import { MAXIMAL } from './seal/maximal-events.contract.js';
import { SealedEventStore } from './sealed.event-store.js';
import { MemoryKeyVault } from './vault/memory/memory.key-vault.js';

const root = mkdtempSync(join(tmpdir(), 'hilo-sealed-'));
afterAll(() => rmSync(root, { recursive: true }));

let file = '';
const vault = new MemoryKeyVault();
const everything = new EventSealer(new Proxy({}, { get: () => ({ subject: 'stream', fields: {} }), has: () => true }));
const overSqlite = () => new SealedEventStore(SqliteEventStore.open({ file }), vault, everything);
eventStoreContract('SealedEventStore over SQLite', {
  makesTexts: true,
  open: () => {
    file = join(root, `${randomUUID()}.db`);
    return overSqlite();
  },
  close: (store) => store.close(),
  reopen: overSqlite,
});

describe('the sealed event store of a data directory', () => {
  let dataDir: string;
  let set: SealedEventStoreSet | undefined;
  beforeEach(() => {
    dataDir = mkdtempSync(join(root, 'data-'));
  });
  afterEach(() => set?.close());

  const settings = (more: { masterKey?: string; nextMasterKey?: string } = {}) => ({
    eventStoreUrl: 'sqlite:',
    dataDir,
    ...more,
  });
  const start = async (more = {}): Promise<SealedEventStoreSet> =>
    (set = await openSealedEventStore(settings(more), new SystemClock()));
  const stop = async (): Promise<void> => {
    await set?.close();
    set = undefined;
  };
  const append = async (anchor: Uuid = randomUUID()): Promise<Uuid> => {
    const data = { ...MAXIMAL.InteractionRecorded, anchor };
    const event = { id: randomUUID(), type: 'InteractionRecorded', schema: 2, tenant: 'acme', data };
    await set!.events.append(newStream(), [event], 'no_stream');
    return anchor;
  };
  const texts = async (): Promise<unknown[]> => {
    const log = await openSealedEventLog(settings());
    try {
      return (await collect(log.readAll({ after: 0 }))).map(({ data }) => (data as { text?: string }).text);
    } finally {
      await log.close();
    }
  };

  it('makes a master key that only its owner may read at the first start, and uses it ever after', async () => {
    expect((await start()).masterKeyCreated).toBe(masterKeyFile(dataDir));
    await append();
    await stop();
    expect((await start()).masterKeyCreated).toBeUndefined();
    for (const name of ['master.key', 'keys.db', 'events.db'])
      expect([name, statSync(join(dataDir, name)).mode & 0o777]).toEqual([name, 0o600]);
    const [event] = await collect(set!.events.readAll({ after: 0 }));
    expect(event!.data).toMatchObject({ text: 'Canary text with ünïcode' });
  });

  it('leaves nothing personal in clear in any of its files, open or closed', async () => {
    await start();
    for (let i = 0; i < 20; i++) await append();
    await set!.parked.park(parkedOf({ bytes: Buffer.from('canary bytes') }));
    const clear = () =>
      readdirSync(dataDir).filter((name) => /canary/i.test(readFileSync(join(dataDir, name), 'latin1')));
    expect(clear()).toEqual([]);
    await stop();
    expect(clear()).toEqual([]);
    expect(await texts()).toHaveLength(20);
  });

  it('takes the master key from the environment, and makes no file then', async () => {
    const masterKey = randomBytes(32).toString('base64');
    expect((await start({ masterKey })).masterKeyCreated).toBeUndefined();
    await append();
    await stop();
    expect(readdirSync(dataDir)).not.toContain('master.key');
    await expect(start()).rejects.toMatchObject({ code: 'KEY_VAULT.MASTER_KEY_MISSING' });
    expect(readdirSync(dataDir)).not.toContain('master.key');
    await start({ masterKey });
  });

  it('refuses to start without its master key, with another one, and with a broken one', async () => {
    await start();
    await append();
    await stop();
    const kept = join(root, `${randomUUID()}.key`);
    renameSync(masterKeyFile(dataDir), kept);
    await expect(start()).rejects.toMatchObject({
      code: 'KEY_VAULT.MASTER_KEY_MISSING',
      message: expect.stringMatching(/no sealed content can be read.*restore/s) as unknown,
    });
    makeMasterKey(masterKeyFile(dataDir));
    await expect(start()).rejects.toMatchObject({ code: 'KEY_VAULT.MASTER_KEY_MISMATCH' });
    await expect(openSealedEventLog(settings())).rejects.toMatchObject({ code: 'KEY_VAULT.MASTER_KEY_MISMATCH' });
    writeFileSync(masterKeyFile(dataDir), 'no key\n');
    await expect(start()).rejects.toMatchObject({ code: 'KEY_VAULT.MASTER_KEY_INVALID' });
    copyFileSync(kept, masterKeyFile(dataDir));
    await start();
    expect(await texts()).toEqual(['Canary text with ünïcode']);
  });

  it('refuses to start without its vault, and with that of another installation', async () => {
    await start();
    await append();
    await stop();
    const kept = join(root, `${randomUUID()}.db`);
    renameSync(join(dataDir, 'keys.db'), kept);
    await expect(start()).rejects.toMatchObject({ code: 'KEY_VAULT.MISSING' });
    expect(readdirSync(dataDir)).not.toContain('keys.db');
    const other = await openKeyVault({ dataDir });
    await other.vault.close();
    await expect(start()).rejects.toMatchObject({ code: 'KEY_VAULT.MISMATCH' });
    copyFileSync(kept, join(dataDir, 'keys.db'));
    await start();
  });

  it('goes on with a log that an earlier release has written in clear', async () => {
    const before = await openEventStore({ eventStoreUrl: 'sqlite:', dataDir });
    const data = { ...MAXIMAL.InteractionRecorded, text: 'in clear' };
    const event = { id: randomUUID(), type: 'InteractionRecorded', schema: 1, tenant: 'acme', data };
    await before.events.append(newStream(), [event], 'no_stream');
    await before.close();
    expect(await texts()).toEqual(['in clear']);
    expect((await start()).masterKeyCreated).toBe(masterKeyFile(dataDir));
    await append();
    expect(await texts()).toEqual(['in clear', 'Canary text with ünïcode']);
  });

  it('shows a reader beside it what was sealed, and not what was destroyed since', async () => {
    await start();
    const [gone, kept] = [await append(), await append()];
    const log = await openSealedEventLog(settings());
    try {
      const erased = async () =>
        (await collect(log.readAll({ after: 0 }))).map(({ data }) => (data as { erased?: true }).erased ?? false);
      expect(await erased()).toEqual([false, false]);
      await set!.vault.destroy(gone);
      expect(await erased()).toEqual([true, false]);
      // A contact under the same identity later does not bring the old ones back.
      await append(gone);
      expect(await erased()).toEqual([true, false, false]);
      expect(set!.vault.cached(kept)?.version).toBe(1);
    } finally {
      await log.close();
    }
  });

  it('ends a rotation that a crash has kept from renaming the key file', async () => {
    await start();
    await append();
    await stop();
    const next = makeMasterKey(nextMasterKeyFile(dataDir));
    const { vault: keys } = await openKeyVault({ dataDir });
    expect(await keys.rotate(next)).toBe(true);
    await keys.close();
    expect(readdirSync(dataDir)).toContain('master.key.next');
    await start();
    expect(readdirSync(dataDir)).not.toContain('master.key.next');
    await stop();
    await start();
    expect(await texts()).toEqual(['Canary text with ünïcode']);
  });
});
