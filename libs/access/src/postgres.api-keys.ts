import type { Clock } from '#libs/kernel';
import { openPostgres, schemaFor, type PostgresPool } from '#libs/kernel/postgres.js';
import { migratePostgres, type SchemaReport } from '#libs/kernel/postgres-migrations.js';
import { StoredApiKeys, type ApiKeyRow, type ApiKeyRows, type NewApiKeyRow } from './stored.api-keys.js';

/** A step stays as it is; the next change is the next step. */
const MIGRATIONS = [
  {
    name: 'tables',
    sql: `CREATE TABLE api_keys (
      id text COLLATE "C" PRIMARY KEY, hash bytea NOT NULL, tenant text COLLATE "C" NOT NULL, role text NOT NULL,
      label text, created_at bigint NOT NULL, expires_at bigint, revoked_at bigint, last_used_at bigint,
      scopes text, replaced_by text)`,
  },
];

const optionsOf = (url: string) => ({ url, schema: schemaFor(url, 'access'), room: 'ACCESS' });

/** @throws HubError `ACCESS.UNAVAILABLE`, retryable */
export const ensureApiKeysSchema = async (url: string): Promise<SchemaReport> => {
  const options = optionsOf(url);
  return { schema: options.schema, taken: await migratePostgres(options, MIGRATIONS) };
};

/** The keys of a database as they are kept, revoked ones too. */
export const apiKeyRowsOf = (url: string): Promise<ApiKeyRow[]> =>
  withPool(url, (pool) => new PostgresApiKeyRows(pool).list(undefined));

/**
 * Puts keys of another place into a database. What ended there ends here; what has ended here is not brought back.
 * Repeatable.
 */
export const putApiKeyRows = (url: string, rows: readonly ApiKeyRow[]): Promise<void> =>
  withPool(url, async (pool) => {
    for (const row of rows)
      await pool.query(
        `INSERT INTO api_keys AS here (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map((_, i) => `$${i + 1}`).join(', ')})
         ON CONFLICT (id) DO UPDATE SET revoked_at = coalesce(here.revoked_at, excluded.revoked_at),
           expires_at = least(here.expires_at, excluded.expires_at),
           last_used_at = greatest(here.last_used_at, excluded.last_used_at),
           replaced_by = coalesce(here.replaced_by, excluded.replaced_by)`,
        COLUMNS.map((name) => (name === 'hash' ? Buffer.from(row.hash as Uint8Array) : row[name])),
      );
  });

const COLUMNS = [
  'id',
  'hash',
  'tenant',
  'role',
  'label',
  'created_at',
  'expires_at',
  'revoked_at',
  'last_used_at',
  'scopes',
  'replaced_by',
] as const satisfies (keyof ApiKeyRow)[];

const withPool = async <T>(url: string, work: (pool: PostgresPool) => Promise<T>): Promise<T> => {
  await ensureApiKeysSchema(url);
  const pool = openPostgres({ ...optionsOf(url), connections: 1 });
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
};

/** API keys in a schema of a PostgreSQL database, for as many programs as like. */
export class PostgresApiKeys extends StoredApiKeys {
  /** @throws HubError `ACCESS.UNAVAILABLE`, retryable */
  static async open({ url, clock }: { url: string; clock: Clock }): Promise<PostgresApiKeys> {
    const options = { ...optionsOf(url), connections: 4, statementTimeoutMs: 5000 };
    await migratePostgres(options, MIGRATIONS);
    return new PostgresApiKeys(new PostgresApiKeyRows(openPostgres(options)), clock);
  }
}

class PostgresApiKeyRows implements ApiKeyRows {
  constructor(private readonly pool: PostgresPool) {}

  async find(id: string): Promise<ApiKeyRow | undefined> {
    return (await this.pool.query<ApiKeyRow>('SELECT * FROM api_keys WHERE id = $1', [id])).rows[0];
  }

  async list(tenant: string | undefined): Promise<ApiKeyRow[]> {
    const { rows } = await this.pool.query<ApiKeyRow>(
      'SELECT * FROM api_keys WHERE $1::text IS NULL OR tenant = $1 ORDER BY created_at, id',
      [tenant ?? null],
    );
    return rows;
  }

  async add(row: NewApiKeyRow): Promise<void> {
    await this.pool.query(
      `INSERT INTO api_keys (id, hash, tenant, role, scopes, label, created_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      valuesOf(row),
    );
  }

  async replace(id: string, endsMs: number, next: NewApiKeyRow): Promise<boolean> {
    const { rowCount } = await this.pool.query(
      `WITH ended AS (
         UPDATE api_keys SET expires_at = least(expires_at, $9), replaced_by = $1
         WHERE id = $10 AND replaced_by IS NULL AND revoked_at IS NULL RETURNING 1)
       INSERT INTO api_keys (id, hash, tenant, role, scopes, label, created_at, expires_at)
       SELECT $1, $2::bytea, $3, $4, $5, $6, $7::bigint, $8::bigint FROM ended`,
      [...valuesOf(next), endsMs, id],
    );
    return rowCount > 0;
  }

  async revoke(id: string, atMs: number): Promise<void> {
    await this.pool.query('UPDATE api_keys SET revoked_at = coalesce(revoked_at, $1) WHERE id = $2', [atMs, id]);
  }

  async noteUse(id: string, atMs: number): Promise<void> {
    await this.pool.query('UPDATE api_keys SET last_used_at = $1 WHERE id = $2', [atMs, id]);
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}

const valuesOf = (row: NewApiKeyRow): unknown[] => [
  row.id,
  row.hash,
  row.tenant,
  row.role,
  row.scopes,
  row.label,
  row.created_at,
  row.expires_at,
];
