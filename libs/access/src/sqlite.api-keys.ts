import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, HubError, LruMap, parseInstantMs, toInstant, type Clock } from '#libs/kernel';
import { openSqlite, type SqliteDatabase } from '#libs/kernel/sqlite.js';
import {
  ApiKeys,
  MAX_OVERLAP_MS,
  VERIFIED_FOR_MS,
  type ApiKeyRecord,
  type CreatedApiKey,
  type NewApiKey,
  type Rotation,
} from './api-keys.port.js';
import { ROLES, SCOPES, scopesOfRole, type Caller, type Role, type Scope } from './caller.js';
import { isTenant } from './tenant.js';

interface Row {
  id: string;
  hash: Buffer | Uint8Array | ArrayBuffer;
  tenant: string;
  role: string;
  label: string | null;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  last_used_at: number | null;
  /** Separated by spaces; null on keys older than scopes, which have those of their role. */
  scopes: string | null;
  replaced_by: string | null;
}

interface Verified {
  caller: Caller;
  untilMs: number;
}

const CACHED_KEYS = 10_000;
const REFUSED_FOR_MS = 1000;
const LAST_USED_EVERY_MS = 60_000;
const keyForm = /^hilo_([a-z0-9]{8})_[A-Za-z0-9_-]{43}$/;
const idAlphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
const newId = (): string => Array.from({ length: 8 }, () => idAlphabet[randomInt(idAlphabet.length)]).join('');
const instantOf = (ms: number | null) => (ms === null ? undefined : toInstant(ms));

const scopesOf = ({ role, scopes }: Row): readonly Scope[] =>
  scopes === null ? scopesOfRole(role as Role) : SCOPES.filter((scope) => scopes.split(' ').includes(scope));

const recordOf = (row: Row): ApiKeyRecord => ({
  id: row.id,
  tenant: row.tenant,
  role: row.role as Role,
  scopes: scopesOf(row),
  label: row.label ?? undefined,
  createdAt: toInstant(row.created_at),
  expiresAt: instantOf(row.expires_at),
  revokedAt: instantOf(row.revoked_at),
  lastUsedAt: instantOf(row.last_used_at),
  replacedBy: row.replaced_by ?? undefined,
});

/** API keys in `access.db`, shared with the command line, which writes the same file while the hub runs. */
export class SqliteApiKeys extends ApiKeys {
  private readonly verified = new LruMap<string, Verified>(CACHED_KEYS);
  private readonly refused = new LruMap<string, number>(CACHED_KEYS);

  private constructor(
    private readonly database: SqliteDatabase,
    private readonly clock: Clock,
  ) {
    super();
    database.exec(`CREATE TABLE IF NOT EXISTS api_keys (
      id TEXT PRIMARY KEY, hash BLOB NOT NULL, tenant TEXT NOT NULL, role TEXT NOT NULL, label TEXT,
      created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER, last_used_at INTEGER
    ) STRICT, WITHOUT ROWID`);
    const columns = new Set(
      database
        .prepare('SELECT name FROM pragma_table_info(?)')
        .all<{ name: string }>(['api_keys'])
        .map(({ name }) => name),
    );
    for (const added of ['scopes', 'replaced_by'])
      if (!columns.has(added)) database.exec(`ALTER TABLE api_keys ADD COLUMN ${added} TEXT`);
  }

  /** Opens the keys of a data directory, which is created when missing; `:memory:` keeps them nowhere. */
  static open({ dataDir, clock }: { dataDir: string; clock: Clock }): SqliteApiKeys {
    if (dataDir === ':memory:') return new SqliteApiKeys(openSqlite(':memory:'), clock);
    mkdirSync(dataDir, { recursive: true });
    return new SqliteApiKeys(openSqlite(join(dataDir, 'access.db'), { cacheKiB: 1024 }), clock);
  }

  verify(key: string): Caller | undefined {
    const known = this.verified.get(key);
    const nowMs = this.clock.nowMs();
    if (known !== undefined) {
      if (nowMs < known.untilMs) return known.caller;
      this.verified.delete(key);
    }
    return this.readCaller(key, nowMs);
  }

  create(wanted: NewApiKey): Promise<CreatedApiKey> {
    return this.settle(() => this.insert(wanted));
  }

  rotate(id: string, { overlapMs, expiresAt }: Rotation): Promise<CreatedApiKey> {
    return this.settle(() => {
      if (!(overlapMs >= 0 && overlapMs <= MAX_OVERLAP_MS))
        throw new HubError('ACCESS.INVALID', `an overlap of ${overlapMs} ms is out of bounds; use 0 to 90 days`);
      const nowMs = this.clock.nowMs();
      const made = this.database.transaction(() => {
        const row = this.known(id);
        if (row.revoked_at !== null || (row.expires_at !== null && row.expires_at <= nowMs))
          throw new HubError('ACCESS.INVALID', `the API key ${id} no longer works; create a new one`);
        if (row.replaced_by !== null)
          throw new HubError('ACCESS.INVALID', `the API key ${id} was replaced by ${row.replaced_by}; rotate that one`);
        const { tenant, role, scopes, label } = recordOf(row);
        const next = this.insert({ tenant, role, scopes, label, expiresAt });
        this.database
          .prepare('UPDATE api_keys SET expires_at = min(coalesce(expires_at, ?), ?), replaced_by = ? WHERE id = ?')
          .run([nowMs + overlapMs, nowMs + overlapMs, next.id, id]);
        return next;
      });
      this.verified.clear();
      return made;
    });
  }

  list(tenant?: string): Promise<ApiKeyRecord[]> {
    return this.settle(() =>
      this.database
        .prepare('SELECT * FROM api_keys WHERE ? IS NULL OR tenant = ? ORDER BY created_at, id')
        .all<Row>([tenant ?? null, tenant ?? null])
        .map(recordOf),
    );
  }

  revoke(id: string): Promise<ApiKeyRecord> {
    return this.settle(() => {
      this.database
        .prepare('UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?')
        .run([this.clock.nowMs(), id]);
      this.verified.clear();
      return recordOf(this.known(id));
    });
  }

  close(): Promise<void> {
    return this.settle(() => this.database.close());
  }

  private readCaller(key: string, nowMs: number): Caller | undefined {
    const id = keyForm.exec(key)?.[1];
    if (id === undefined) return undefined;
    const refusedUntilMs = this.refused.get(key);
    if (refusedUntilMs !== undefined && nowMs < refusedUntilMs) return undefined;
    const row = this.readRow(id);
    const hash = sha256(key);
    // An unknown id is compared too, so that the time taken does not tell which ids exist.
    const genuine = timingSafeEqual(hash, row ? bytesOf(row.hash) : sha256(id)) && row !== undefined;
    if (!genuine || row.revoked_at !== null || (row.expires_at !== null && row.expires_at <= nowMs)) {
      this.refused.set(key, nowMs + REFUSED_FOR_MS);
      return undefined;
    }
    const caller: Caller = Object.freeze({
      tenant: row.tenant,
      roles: [row.role as Role],
      pii: scopesOf(row).includes('pii'),
      keyId: row.id,
    });
    const untilMs = Math.min(nowMs + VERIFIED_FOR_MS, row.expires_at ?? Number.POSITIVE_INFINITY);
    this.verified.set(key, { caller, untilMs });
    this.noteUse(row, nowMs);
    return caller;
  }

  private readRow(id: string): Row | undefined {
    try {
      return this.rowOf(id);
    } catch (cause) {
      throw new HubError('ACCESS.UNAVAILABLE', 'the API keys cannot be read', { retryable: true, cause });
    }
  }

  private rowOf(id: string): Row | undefined {
    return this.database.prepare('SELECT * FROM api_keys WHERE id = ?').first<Row>([id]);
  }

  /** @throws HubError `API_KEY.NOT_FOUND` */
  private known(id: string): Row {
    const row = this.rowOf(id);
    if (!row) throw new HubError('API_KEY.NOT_FOUND', `there is no API key with the id ${id}`);
    return row;
  }

  private insert(wanted: NewApiKey): CreatedApiKey {
    const expiresMs = this.checked(wanted);
    const id = this.freeId();
    const key = `hilo_${id}_${randomBytes(32).toString('base64url')}`;
    this.database
      .prepare(
        'INSERT INTO api_keys (id, hash, tenant, role, scopes, label, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run([
        id,
        sha256(key),
        wanted.tenant,
        wanted.role,
        (wanted.scopes ?? scopesOfRole(wanted.role)).join(' '),
        wanted.label ?? null,
        this.clock.nowMs(),
        expiresMs ?? null,
      ]);
    return { ...recordOf(this.known(id)), key };
  }

  private noteUse(row: Row, nowMs: number): void {
    if (row.last_used_at !== null && nowMs - row.last_used_at < LAST_USED_EVERY_MS) return;
    try {
      this.database.prepare('UPDATE api_keys SET last_used_at = ? WHERE id = ?').run([nowMs, row.id]);
    } catch {
      // A use that is not noted must not refuse a good key, say on a full disk.
    }
  }

  private freeId(): string {
    for (;;) {
      const id = newId();
      if (!this.rowOf(id)) return id;
    }
  }

  private checked({ tenant, role, scopes, label, expiresAt }: NewApiKey): number | undefined {
    if (!isTenant(tenant))
      throw new HubError('ACCESS.INVALID', `tenant "${tenant}": use 1 to 64 letters, digits, ".", "_" or "-"`);
    if (!ROLES.includes(role)) throw new HubError('ACCESS.INVALID', `role "${role}" is none of ${ROLES.join(', ')}`);
    const odd = scopes?.find((scope) => !SCOPES.includes(scope));
    if (odd !== undefined) throw new HubError('ACCESS.INVALID', `scope "${odd}" is none of ${SCOPES.join(', ')}`);
    if (label !== undefined && label.length > 200)
      throw new HubError('ACCESS.INVALID', `the label has ${label.length} characters, at most 200 are allowed`);
    if (expiresAt === undefined) return undefined;
    const expiresMs = parseInstantMs(expiresAt);
    if (expiresMs === undefined)
      throw new HubError('ACCESS.INVALID', `"${expiresAt}" is no instant such as 2030-01-31T00:00:00Z`);
    return expiresMs;
  }

  private settle<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      try {
        resolve(work());
      } catch (error) {
        const storage = codeOf(error)?.startsWith('SQLITE_') === true;
        reject(
          storage
            ? new HubError('ACCESS.UNAVAILABLE', 'the API keys cannot be read or written', {
                retryable: true,
                cause: error,
              })
            : (error as Error),
        );
      }
    });
  }
}

const bytesOf = (blob: Buffer | Uint8Array | ArrayBuffer): Uint8Array =>
  blob instanceof Uint8Array ? blob : new Uint8Array(blob);
