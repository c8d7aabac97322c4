import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf, FixedClock } from '#libs/kernel';
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
    expect(hub.verify(key)).toMatchObject({ tenant: 'acme', role: 'analyst' });
    await commandLine.revoke(id);
    clock.advance(VERIFIED_FOR_MS);
    expect(hub.verify(key)).toBeUndefined();
    await Promise.all([hub.close(), commandLine.close()]);
  });

  it('makes one key per role at the first start, for the eyes of the owner alone', async () => {
    const keys = open();
    const first = await ensureFirstKeys(dataDir, keys);
    expect(first.created).toBe(true);
    expect(statSync(first.file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(first.file, 'utf8'))).toEqual(first.keys);
    for (const role of ROLES) expect(keys.verify(first.keys!.demo![role])).toMatchObject({ tenant: 'demo', role });
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
