import { createHash } from 'node:crypto';
import { kysely } from '../read-model/kysely.js';
import type { ReadModel } from '../read-model/read-model.port.js';
import type { ReadModelSchema } from '../read-model/read-model.schema.js';

export interface TableDigest {
  table: string;
  rows: number;
  /** SHA-256 over all rows in the order of their key. */
  sha256: string;
}

const KEYS: Record<keyof ReadModelSchema, readonly string[]> = {
  checkpoint: ['name'],
  tenant: ['key'],
  label: ['key'],
  identity: ['key'],
  mention: ['identity', 'anchor'],
  profile: ['identity'],
  link: ['key'],
  conversation: ['key'],
  entry: ['position'],
  timeline: ['customer', 'occurredAt', 'position'],
  commitment: ['position'],
  access: ['position'],
  consent: ['identity', 'position', 'purpose'],
  preference: ['identity', 'position'],
  erased_contact: ['position'],
  identity_past: ['identity', 'until'],
  profile_past: ['identity', 'until'],
  link_past: ['link', 'until'],
  entry_past: ['position', 'until'],
};

const PAGE = 2000;

type Row = Record<string, unknown>;

export interface TableDigestsOptions {
  /** Positions count too; without them the models of a log and of its copy elsewhere agree. @default true */
  positions?: boolean;
}

/** Count and fingerprint of every table: two read models that show the same position must agree in all of them. */
export const tableDigests = async (
  readModel: ReadModel,
  { positions = true }: TableDigestsOptions = {},
): Promise<TableDigest[]> => {
  const { sql } = kysely();
  const digests: TableDigest[] = [];
  for (const [table, key] of Object.entries(KEYS)) {
    const hash = createHash('sha256');
    const keys = sql.join(key.map((column) => sql.ref(column)));
    let rows = 0;
    for (let last: Row | undefined; ;) {
      const after = last ? sql`where (${keys}) > (${sql.join(key.map((column) => last![column]))})` : sql``;
      const page =
        await sql<Row>`select * from ${sql.table(table)} ${after} order by ${keys} limit ${sql.lit(PAGE)}`.execute(
          readModel.db,
        );
      for (const row of page.rows) {
        const values = Object.entries(row).filter(([column]) => positions || !isPosition(table, column));
        hash.update(JSON.stringify(values.map(bytesAsHex)));
      }
      rows += page.rows.length;
      if (page.rows.length < PAGE) break;
      last = page.rows.at(-1);
    }
    digests.push({ table, rows, sha256: hash.digest('hex') });
  }
  return digests;
};

const isPosition = (table: string, column: string): boolean =>
  /^(position|since|erased|(first|last|ended)Position)$/.test(column) ||
  (column === 'until' && table.endsWith('_past'));

const bytesAsHex = ([name, value]: [string, unknown]): [string, unknown] => [
  name,
  value instanceof ArrayBuffer || value instanceof Uint8Array
    ? Buffer.from(value as ArrayBuffer).toString('hex')
    : value,
];
