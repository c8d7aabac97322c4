import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf, FixedClock } from '#libs/kernel';
import { openSqlite } from '#libs/kernel/sqlite.js';
import { VERIFIED_FOR_MS } from './api-keys.port.js';
import { ROLES } from './caller.js';
import { ensureFirstKeys } from './first-keys.js';
import { SqliteApiKeys } from './sqlite.api-keys.js';

describe('API keys in a file', () => {
  let dataDir: string;
  const clock = new FixedClock(Date.parse('2025-03-02T09:00:00.000Z'));
  const open = () => SqliteApiKeys.open({ dataDir, clock });

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'hilo-access-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true }));

  it('lets in at once a key that another process made, and out within 30 s one that it revoked', async () => {
    const [hub, commandLine] = [open(), open()];
    const { id, key } = await commandLine.create({ tenant: 'acme', role: 'analyst' });
    expect(hub.verify(key)).toMatchObject({ tenant: 'acme', roles: ['analyst'] });
    await commandLine.revoke(id);
    clock.advance(VERIFIED_FOR_MS);
    expect(hub.verify(key)).toBeUndefined();
    await Promise.all([hub.close(), commandLine.close()]);
  });

  it('takes keys that a release without scopes has made, with the scopes of their role', async () => {
    const file = openSqlite(join(dataDir, 'access.db'));
    file.exec(`CREATE TABLE api_keys (
      id TEXT PRIMARY KEY, hash BLOB NOT NULL, tenant TEXT NOT NULL, role TEXT NOT NULL, label TEXT,
      created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER, last_used_at INTEGER
    ) STRICT, WITHOUT ROWID`);
    const keyOf = (id: string) => `hilo_${id}_${'A'.repeat(43)}`;
    for (const [id, role] of [
      ['aaaaaaaa', 'agent'],
      ['bbbbbbbb', 'analyst'],
    ] as const)
      // prettier-ignore
      file
        .prepare('INSERT INTO api_keys (id, hash, tenant, role, created_at) VALUES (?, ?, ?, ?, 0)')
        .run([id, createHash('sha256').update(keyOf(id)).digest(), 'acme', role]);
    file.close();
    const keys = open();
    expect(keys.verify(keyOf('aaaaaaaa'))).toMatchObject({ roles: ['agent'], pii: true });
    expect(keys.verify(keyOf('bbbbbbbb'))).toMatchObject({ roles: ['analyst'], pii: false });
    await keys.close();
  });

  it('makes one key per role at the first start, for the eyes of the owner alone', async () => {
    const keys = open();
    const first = await ensureFirstKeys(dataDir, keys);
    expect(first.created).toBe(true);
    expect(statSync(first.file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(first.file, 'utf8'))).toEqual(first.keys);
    for (const role of ROLES)
      expect(keys.verify(first.keys!.demo![role])).toMatchObject({ tenant: 'demo', roles: [role] });
    expect(await ensureFirstKeys(dataDir, keys)).toEqual({ ...first, created: false });
    await keys.close();
  });

  it('makes no new keys when the operator has removed the file', async () => {
    const keys = open();
    const { file } = await ensureFirstKeys(dataDir, keys);
    rmSync(file);
    expect(await ensureFirstKeys(dataDir, keys)).toEqual({ created: false, file });
    expect(await keys.list()).toHaveLength(ROLES.length);
    await keys.close();
  });

  it('says which file is broken', async () => {
    const keys = open();
    writeFileSync(join(dataDir, 'api-keys.json'), 'not json');
    const error: unknown = await ensureFirstKeys(dataDir, keys).catch((cause: unknown) => cause);
    expect(codeOf(error)).toBe('ACCESS.INVALID');
    await keys.close();
  });
});
