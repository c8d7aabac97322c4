import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { PostgresApiKeys } from '#libs/access/postgres.api-keys.js';
import { SqliteApiKeys } from '#libs/access/sqlite.api-keys.js';
import { noteLook } from '#libs/access/trail/noted-looks.js';
import { DataDirectory } from '#libs/event-store/data-directory.js';
import { newStream, eventOf } from '#libs/event-store/event-store.contract.js';
import { EventStoreDbEventStore } from '#libs/event-store/eventstoredb/eventstoredb.event-store.js';
import { openEventStore } from '#libs/event-store/open-event-store.js';
import { openOperations } from '#libs/event-store/postgres/operations-schema.js';
import { PostgresCopyState } from '#libs/event-store/postgres/postgres.copy-state.js';
import { HubError, SystemClock, bytesOfUuid } from '#libs/kernel';
import { readSettings, type HubSettings } from '#libs/kernel/settings.js';
import { loadMasterKeys } from '#libs/privacy/master-key/master-key-files.js';
import { openSealedEventStore, type SealedEventStoreSet } from '#libs/privacy/open-sealed-event-store.js';
import { openPostgresKeyVault } from '#libs/privacy/vault/postgres/postgres.key-vault.js';
import { openSqliteVaultTables } from '#libs/privacy/vault/sqlite/sqlite.key-vault.js';
import { interactionContent } from '#libs/testing';
import {
  eventStoreDbKind,
  startEventStoreDb,
  type EventStoreDbUnderTest,
} from '#libs/testing/engines/event-store-db-server.js';
import { postgresForTests } from '../../../../test/engines/postgres/postgres-server.js';
import { ELSEWHERE, inServerFiles } from '../../../../test/engines/postgres/server-files.js';
import { ranAgainst } from '../../../../test/engines/ran-against.js';
import { openClusterLog } from '../../../shared/src/open-cluster.js';
import { errorLines } from '../errors.js';
import type { Compared } from '../migrate/migration-steps.js';
import { migrateCommand } from './migrate.js';

jest.setTimeout(120_000);

const clock = new SystemClock();
const kind = eventStoreDbKind();
const newDatabase = postgresForTests();
let server: EventStoreDbUnderTest | undefined;
let dataDir: string;
let url: string;
let env: Record<string, string>;

beforeAll(async () => {
  server = await startEventStoreDb(kind);
  ranAgainst(`EventStoreDB: ${kind}`);
}, 300_000);
afterAll(() => server?.stop());
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'hilo-migrate-'));
  url = await server!.emptyUrl();
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const hubSettings = (): HubSettings => readSettings({ HILO_DATA_DIR: dataDir });
const clusterSettings = (over: Readonly<Record<string, string>> = {}): HubSettings =>
  readSettings({ ...env, HILO_EVENT_STORE_URL: url, HILO_DATA_DIR: join(dataDir, 'scratch'), ...over });

const withHub = async <T>(work: (set: SealedEventStoreSet) => Promise<T>): Promise<T> => {
  const set = await openSealedEventStore(hubSettings(), clock);
  try {
    return await work(set);
  } finally {
    await set.close();
  }
};

/** Contacts of so many customers; the vault gets a key for each. */
const record = (count: number): Promise<string[]> =>
  withHub(async ({ events, ids, ledger, parked }) => {
    const anchors: string[] = [];
    for (let i = 0; i < count; i++) {
      const value = `${randomUUID()}@example.com`;
      const anchor = ids.identity('acme', 'email', value);
      anchors.push(anchor);
      const data = interactionContent({ anchor, identities: [{ identity: anchor, type: 'email', value }] });
      const event = { id: randomUUID(), type: 'InteractionRecorded', schema: 2, tenant: 'acme', data };
      await events.append(newStream(), [event], 'no_stream');
    }
    const account = { tenant: 'acme', channel: 'email', account: 'care@acme.example' };
    ledger.count(account, 'duplicate');
    ledger.count(account, 'parked');
    const bytes = Buffer.from('what nobody could read');
    await parked.park({ ...account, stage: 'parse', reasonCode: 'EMAIL.ODD', reason: 'odd', receivedAtMs: 1, contentType: 'text/plain', bytes }); // prettier-ignore
    return anchors;
  });

const wrappedKeyOf = async (identity: string): Promise<Buffer> => {
  const tables = await openSqliteVaultTables(join(dataDir, 'keys.db'));
  const row = await tables.selectFrom('data_key').select('wrapped').where('identity', '=', bytesOfUuid(identity)).executeTakeFirstOrThrow(); // prettier-ignore
  await tables.destroy();
  return Buffer.from(row.wrapped!);
};

/** What the programs will be given. */
const giveSecrets = (): void => {
  env = {
    HILO_READ_MODEL_URL: newDatabase(),
    HILO_PEPPER: readFileSync(join(dataDir, 'pepper')).toString('base64'),
    HILO_MASTER_KEY: readFileSync(join(dataDir, 'master.key'), 'utf8').trim(),
  };
};

const migrate = async (...words: string[]): Promise<string> => {
  const out: string[] = [];
  const before = { ...process.env };
  for (const name of Object.keys(process.env)) if (name.startsWith('HILO_')) delete process.env[name];
  Object.assign(process.env, env);
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0);
  const silent = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    const hilo = new Command('hilo').option('--data-dir <dir>').addCommand(migrateCommand());
    await hilo.parseAsync(['--data-dir', dataDir, 'migrate', '--to', url, ...words], { from: 'user' });
    return out.join('');
  } finally {
    write.mockRestore();
    silent.mockRestore();
    for (const name of Object.keys(env)) delete process.env[name];
    Object.assign(process.env, before);
  }
};

/** What stderr would say. */
const refusal = async (...words: string[]): Promise<string> => {
  const error: unknown = await migrate(...words).catch((failed: unknown) => failed);
  if (!(error instanceof Error)) throw new Error('it was not refused');
  return errorLines(error);
};

const compared = async (...words: string[]): Promise<Record<string, Compared & { same?: boolean }>> => {
  const lines = (await migrate('--json', ...words)).trim().split('\n');
  const all = lines.map((line) => JSON.parse(line) as Compared & { same?: boolean });
  return Object.fromEntries(all.map((one) => [one.what, one]));
};

describe(`hilo migrate into ${kind} and PostgreSQL`, () => {
  it('moves everything a hub has, and what came later, until programs start on it', async () => {
    const [first, second] = (await record(20)) as [string, string];
    const keys = SqliteApiKeys.open({ dataDir, clock });
    const { id, key } = await keys.create({ tenant: 'acme', role: 'agent' });
    noteLook(dataDir, 'acme', { customer: first, by: 'machine:ops', at: '2026-01-01T00:00:00.000Z', saw: ['timeline'], reads: 1 }); // prettier-ignore
    giveSecrets();
    const once = await compared();
    expect(Object.values(once).filter(({ same }) => same === false)).toEqual([]);
    expect(Object.values(once).filter(({ same }) => same).length).toBe(8);
    expect(once).toMatchObject({
      events: { cluster: { count: 21 } },
      'data keys': { cluster: { count: 21 } },
      'parked messages': { cluster: { count: 1 } },
      'API keys': { cluster: { count: 1 } },
      'delivery counts': { cluster: { count: 1 } },
      // No hub has folded any.
      'timelines: entry': { cluster: { count: 20 } },
      'timelines: access': { cluster: { count: 1 } },
    });

    await record(5);
    const wrapped = await wrappedKeyOf(second);
    expect([[true], ELSEWHERE]).toContainEqual(await inServerFiles(env['HILO_READ_MODEL_URL']!, [wrapped]));
    await withHub(async ({ vault, parked }) => {
      const erasure = randomUUID();
      await vault.beginErasure({ erasure, tenant: 'acme' });
      await vault.erase(erasure, [second]);
      const [oldest] = (await parked.list({ limit: 9 })).toReversed();
      await parked.purge(oldest!.id, 'ops', 'erasure');
    });
    await keys.revoke(id);
    await keys.close();
    const twice = await compared('--in-flight', '8');
    expect(Object.values(twice).filter(({ same }) => same === false)).toEqual([]);
    expect(twice).toMatchObject({ events: { cluster: { count: 26 } }, erasures: { cluster: { count: 1 } } });
    expect([[false], ELSEWHERE]).toContainEqual(await inServerFiles(env['HILO_READ_MODEL_URL']!, [wrapped]));

    const set = await openClusterLog(clusterSettings(), clock);
    expect([...(await set.vault.obtain([first, second])).keys()]).toEqual([first]);
    expect(await set.vault.openErasures()).toHaveLength(1);
    const parked = await set.parked.list({ limit: 9 });
    expect(parked.map(({ status }) => status)).toEqual(['parked', 'discarded']);
    expect((await set.parked.get(parked[0]!.id))!.bytes.toString()).toBe('what nobody could read');
    expect((await set.ledger.totals()).rows).toEqual([
      { tenant: 'acme', channel: 'email', account: 'care@acme.example', recorded: 25, duplicate: 2, corrected: 0, parked: 2 }, // prettier-ignore
    ]);
    const known = await PostgresApiKeys.open({ url: env['HILO_READ_MODEL_URL']!, clock });
    expect(await known.verify(key)).toBeUndefined();
    expect(await known.list()).toMatchObject([{ id, revokedAt: expect.any(String) as unknown }]);
    await known.close();
    await set.close();
    await expect(migrate()).rejects.toMatchObject({ code: 'COPY.IN_USE' });
  });

  it('brings no API key back that was revoked on the copy', async () => {
    await record(1);
    const keys = SqliteApiKeys.open({ dataDir, clock });
    const [stays, goes] = [await keys.create({ tenant: 'acme', role: 'agent' }), await keys.create({ tenant: 'acme', role: 'admin' })]; // prettier-ignore
    await keys.close();
    giveSecrets();
    await migrate();
    const copied = await PostgresApiKeys.open({ url: env['HILO_READ_MODEL_URL']!, clock });
    await copied.revoke(goes.id);
    const made = await copied.create({ tenant: 'acme', role: 'analyst' });
    expect(await compared()).toMatchObject({ 'API keys': { same: true, cluster: { count: 2 } } });
    expect(await copied.verify(goes.key)).toBeUndefined();
    expect(await copied.verify(stays.key)).toMatchObject({ keyId: stays.id });
    expect(await copied.verify(made.key)).toMatchObject({ keyId: made.id });
    await copied.close();
  });

  it('lets no program start on a copy that is not whole', async () => {
    await record(2);
    giveSecrets();
    await migrate();
    const pool = await openOperations(env['HILO_READ_MODEL_URL']!);
    const { rows } = await pool.query<{ value: string }>("SELECT value FROM installation WHERE name = 'copy'");
    await new PostgresCopyState(pool).begin(rows[0]!.value.split(': ')[1]!);
    await pool.end();
    await expect(openClusterLog(clusterSettings(), clock)).rejects.toMatchObject({ code: 'COPY.UNFINISHED' });
    await migrate();
    await (await openClusterLog(clusterSettings(), clock)).close();
  });

  it('says in one line what to set, and which of it is wrong', async () => {
    await record(1);
    giveSecrets();
    const given = env;
    env = {};
    expect(await refusal()).toMatch(
      /^hilo: set what the programs will be given as well: HILO_READ_MODEL_URL=\S+ HILO_PEPPER="\$\(openssl base64 -A -in '\S+pepper'\)" HILO_MASTER_KEY="\$\(cat '\S+master\.key'\)"\n$/,
    );
    for (const [name, what] of [
      ['HILO_PEPPER', 'is not the pepper of this log'],
      ['HILO_MASTER_KEY', 'is not the master key'],
    ] as const) {
      env = { ...given, [name]: randomBytes(32).toString('base64') };
      const line = await refusal();
      expect(line).toMatch(new RegExp(`^hilo: ${name}: ${what}.*\\(fingerprint [0-9a-f]{8} instead of [0-9a-f]{8}\\); set it to.*\n$`)); // prettier-ignore
    }
    unlinkSync(join(dataDir, 'keys.db'));
    env = given;
    expect(await refusal()).toContain('keys.db is missing');
  });

  it('refuses while the hub runs', async () => {
    await record(1);
    giveSecrets();
    const directory = DataDirectory.claim(dataDir, { program: 'hub' });
    expect(await refusal()).toMatch(/^hilo: .* is in use by hub \(process \d+\); .*: stop it first\n$/);
    directory.release();
  });

  it('refuses servers that hold something else, and adds nothing to it', async () => {
    await record(2);
    giveSecrets();
    const keys = await PostgresApiKeys.open({ url: env['HILO_READ_MODEL_URL']!, clock });
    await keys.create({ tenant: 'globex', role: 'agent' });
    await keys.close();
    expect(await refusal()).toMatch(/^hilo: HILO_READ_MODEL_URL: holds API keys that this command has not put there/);

    giveSecrets();
    await (await openClusterLog(clusterSettings(), clock)).close();
    expect(await refusal()).toContain('begun with another key vault');
    url = await server!.emptyUrl();
    expect(await refusal()).toMatch(/holds a key vault, a pepper that/);

    giveSecrets();
    // As a hub leaves it that had its timelines there, by another release.
    const operations = await openOperations(env['HILO_READ_MODEL_URL']!);
    const schema = `${new URL(env['HILO_READ_MODEL_URL']!).searchParams.get('schema')!}_read_model_1`;
    await operations.query(`CREATE SCHEMA ${schema}`);
    expect(await refusal()).toMatch(/holds timelines that/);
    await operations.query(`DROP SCHEMA ${schema}`);
    await operations.end();

    const target = EventStoreDbEventStore.open({ url });
    await target.append(newStream(), [eventOf()], 'no_stream');
    await expect(migrate()).rejects.toMatchObject({ code: 'COPY.OTHER_LOG' });
    await target.close();
  });

  it('refuses the copy of another data directory, whole or not', async () => {
    await record(2);
    giveSecrets();
    await migrate();
    const database = env['HILO_READ_MODEL_URL']!;
    rmSync(dataDir, { recursive: true });
    dataDir = mkdtempSync(join(tmpdir(), 'hilo-migrate-'));
    await record(2);
    giveSecrets();
    expect(await refusal()).toContain('begun with another pepper');
    url = await server!.emptyUrl();
    env['HILO_READ_MODEL_URL'] = database;
    await expect(migrate()).rejects.toMatchObject({ code: 'COPY.OTHER_INSTALLATION' });
  });

  it('refuses a log that was added to, and a key that lives on here only', async () => {
    const [anchor] = (await record(2)) as [string];
    giveSecrets();
    await migrate();
    // As a program of an earlier release leaves it, which marks nothing.
    const { keys: masters } = loadMasterKeys(clusterSettings(), true);
    const vault = await openPostgresKeyVault({ url: env['HILO_READ_MODEL_URL']!, masters });
    await vault.destroy(anchor);
    expect(await refusal()).toMatch(/^hilo: the copy differs.*: data keys \(3 on both sides/);
    expect(await vault.find([anchor])).toEqual(new Map());
    await vault.close();
    const log = EventStoreDbEventStore.open({ url });
    await log.append(newStream(), [eventOf()], 'no_stream');
    await log.close();
    await expect(migrate()).rejects.toMatchObject({ code: 'COPY.OTHER_LOG' });
  });

  it.each([
    [['--to', 'sqlite:'], '--to'],
    [['--from', 'esdb://g?tls=false'], '--from'],
    [['--in-flight', '0'], '--in-flight'],
  ])('refuses %j', async (words, option) => {
    const error: unknown = await migrate(...words).catch((failed: unknown) => failed);
    expect(error).toBeInstanceOf(HubError);
    expect(error).toMatchObject({ code: 'CLI.USAGE', message: expect.stringContaining(option) as string });
  });

  it('binds the log to its pepper and its vault', async () => {
    await record(2);
    giveSecrets();
    await migrate();
    const other = clusterSettings({ HILO_PEPPER: randomBytes(32).toString('base64') });
    await expect(openClusterLog(other, clock)).rejects.toMatchObject({ code: 'DATA_DIRECTORY.PEPPER_MISMATCH' });
    const elsewhere = clusterSettings({ HILO_READ_MODEL_URL: newDatabase() });
    await expect(openClusterLog(elsewhere, clock)).rejects.toMatchObject({ code: 'KEY_VAULT.MISMATCH' });
    const [hub, cluster] = [
      await openEventStore({ eventStoreUrl: 'sqlite:', dataDir }),
      await openClusterLog(clusterSettings(), clock),
    ];
    expect(cluster.ids.identity('t', 'email', 'a')).toBe(hub.ids.identity('t', 'email', 'a'));
    await cluster.close();
    await hub.close();
  });
});
