import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#libs/kernel';
import { openSqlite, type SqliteDatabase } from '#libs/kernel/sqlite.js';
import { StoredApiKeys, type ApiKeyRow, type ApiKeyRows, type NewApiKeyRow } from './stored.api-keys.js';

/** API keys in `access.db`, shared with the command line, which writes the same file while the hub runs. */
export class SqliteApiKeys extends StoredApiKeys {
  /** Opens the keys of a data directory, which is created when missing; `:memory:` keeps them nowhere. */
  static open({ dataDir, clock }: { dataDir: string; clock: Clock }): SqliteApiKeys {
    if (dataDir === ':memory:') return new SqliteApiKeys(new SqliteApiKeyRows(openSqlite(':memory:')), clock);
    mkdirSync(dataDir, { recursive: true });
    return new SqliteApiKeys(rowsIn(dataDir), clock);
  }
}

const fileIn = (dataDir: string): string => join(dataDir, 'access.db');
const rowsIn = (dataDir: string): SqliteApiKeyRows =>
  new SqliteApiKeyRows(openSqlite(fileIn(dataDir), { cacheKiB: 1024 }));

/** The keys of a data directory as they are kept, revoked ones too; none where none were ever made. */
export const apiKeyRowsIn = (dataDir: string): ApiKeyRow[] => {
  if (!existsSync(fileIn(dataDir))) return [];
  const rows = rowsIn(dataDir);
  try {
    return rows.list(undefined);
  } finally {
    rows.close();
  }
};

class SqliteApiKeyRows implements ApiKeyRows {
  constructor(private readonly database: SqliteDatabase) {
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

  find(id: string): ApiKeyRow | undefined {
    return this.database.prepare('SELECT * FROM api_keys WHERE id = ?').first<ApiKeyRow>([id]);
  }

  list(tenant: string | undefined): ApiKeyRow[] {
    return this.database
      .prepare('SELECT * FROM api_keys WHERE ? IS NULL OR tenant = ? ORDER BY created_at, id')
      .all<ApiKeyRow>([tenant ?? null, tenant ?? null]);
  }

  add(row: NewApiKeyRow): void {
    this.database
      .prepare(
        'INSERT INTO api_keys (id, hash, tenant, role, scopes, label, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run([row.id, row.hash, row.tenant, row.role, row.scopes, row.label, row.created_at, row.expires_at]);
  }

  replace(id: string, endsMs: number, next: NewApiKeyRow): boolean {
    return this.database.transaction(() => {
      const { changes } = this.database
        .prepare(
          `UPDATE api_keys SET expires_at = min(coalesce(expires_at, ?), ?), replaced_by = ?
           WHERE id = ? AND replaced_by IS NULL AND revoked_at IS NULL`,
        )
        .run([endsMs, endsMs, next.id, id]);
      if (changes > 0) this.add(next);
      return changes > 0;
    });
  }

  revoke(id: string, atMs: number): void {
    this.database.prepare('UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?').run([atMs, id]);
  }

  noteUse(id: string, atMs: number): void {
    this.database.prepare('UPDATE api_keys SET last_used_at = ? WHERE id = ?').run([atMs, id]);
  }

  close(): void {
    this.database.close();
  }
}
