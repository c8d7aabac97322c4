import type { Kysely } from 'kysely';
import { HubError } from '#libs/kernel';
import type { DataKeyTable, ErasedTable, ErasureTable, KeyVaultSchema, MasterKeyTable } from './key-vault.schema.js';

/** The tables of a vault in some engine; keys stay wrapped. */
export type VaultTables = Kysely<KeyVaultSchema>;

/** Rows read and written at once: well below what engines allow as parameters. */
const PAGE = 500;

/** Every key there ever was, destroyed ones too, in the order of their identities. */
export const dataKeyPages = (db: VaultTables): AsyncGenerator<DataKeyTable[]> =>
  pagesBy('identity', async (after) => {
    const page = db.selectFrom('data_key').selectAll().where('identity', '>', after).orderBy('identity').limit(PAGE);
    return (await page.execute()).map((row) => ({
      ...row,
      identity: bufferOf(row.identity),
      wrapped: row.wrapped && bufferOf(row.wrapped),
    }));
  });

/** Everything that was erased, in the order of the ids. */
export const erasedPages = (db: VaultTables): AsyncGenerator<ErasedTable[]> =>
  pagesBy('id', async (after) => {
    const page = db.selectFrom('erased').selectAll().where('id', '>', after).orderBy('id').limit(PAGE);
    return (await page.execute()).map(({ id, erasure }) => ({ id: bufferOf(id), erasure: bufferOf(erasure) }));
  });

/** Every erasure, ended or not, in the order of their ids. */
export const erasurePages = (db: VaultTables): AsyncGenerator<ErasureTable[]> =>
  pagesBy('id', async (after) => {
    const page = db.selectFrom('erasure').selectAll().where('id', '>', after).orderBy('id').limit(PAGE);
    return (await page.execute()).map((row) => ({ ...row, id: bufferOf(row.id) }));
  });

export const masterKeysOf = (db: VaultTables): Promise<MasterKeyTable[]> =>
  db.selectFrom('master_key').selectAll().orderBy('key').execute();

export const vaultIdOf = async (db: VaultTables): Promise<string | undefined> =>
  (await db.selectFrom('vault').select('id').executeTakeFirst())?.id;

/**
 * Makes empty tables the vault that another one is: with its id, under its master keys. Its keys follow with `copyVault`.
 * Repeatable.
 * @throws HubError `COPY.OTHER_INSTALLATION` where the tables hold another vault
 */
export const beginVaultCopy = async (from: VaultTables, to: VaultTables): Promise<void> => {
  const { id } = await from.selectFrom('vault').select('id').executeTakeFirstOrThrow();
  const there = await vaultIdOf(to);
  if (there !== undefined && there !== id)
    throw new HubError(
      'COPY.OTHER_INSTALLATION',
      'HILO_READ_MODEL_URL: holds another key vault; name a database (or ?schema=…) that nothing was begun in',
    );
  await to
    .insertInto('master_key')
    .values(await masterKeysOf(from))
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet((set) => ({
        fingerprint: set.ref('excluded.fingerprint'),
        state: set.ref('excluded.state'),
      })),
    )
    .execute();
  if (there === undefined) await to.insertInto('vault').values({ id, destructions: 0 }).execute();
};

export interface CopyVaultOptions {
  /** Stops between two pages; the same call goes on. */
  signal?: AbortSignal;
  /** Hears how many data keys were looked at. */
  onProgress?: (done: number) => void;
}

/**
 * Copies what a vault at rest holds into another that `beginVaultCopy` made, page by page: keys as they are wrapped,
 * destroyed ones as destroyed, what is erased and what erasures were begun. Repeatable at any time, and never back in time: a key
 * that is destroyed there stays so, whatever the original still has.
 * @returns whether it came to its end
 */
export const copyVault = async (
  from: VaultTables,
  to: VaultTables,
  { signal, onProgress }: CopyVaultOptions = {},
): Promise<boolean> => {
  // First of all nobody gets a key any more who must not.
  for await (const rows of erasedPages(from)) {
    await to.insertInto('erased').values(rows).onConflict((conflict) => conflict.column('id').doNothing()).execute(); // prettier-ignore
    if (signal?.aborted) return false;
  }
  for await (const rows of erasurePages(from)) await putErasures(to, rows);
  let done = 0;
  for await (const rows of dataKeyPages(from)) {
    await putDataKeys(to, rows);
    onProgress?.((done += rows.length));
    if (signal?.aborted) return false;
  }
  const { destructions } = await from.selectFrom('vault').select('destructions').executeTakeFirstOrThrow();
  await to.updateTable('vault').set({ destructions }).where('destructions', '<', destructions).execute();
  return true;
};

const putErasures = async (to: VaultTables, rows: readonly ErasureTable[]): Promise<void> => {
  await to
    .insertInto('erasure')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet((set) => ({ endedAt: set.ref('excluded.endedAt') }))
        .where('erasure.endedAt', 'is', null),
    )
    .execute();
};

const putDataKeys = async (to: VaultTables, rows: readonly DataKeyTable[]): Promise<void> => {
  await to
    .insertInto('data_key')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .column('identity')
        .doUpdateSet((set) => ({
          version: set.ref('excluded.version'),
          master: set.ref('excluded.master'),
          wrapped: set.ref('excluded.wrapped'),
          createdAt: set.ref('excluded.createdAt'),
          destroyedAt: set.ref('excluded.destroyedAt'),
        }))
        // A later version, or the same one wrapped anew or destroyed since.
        .where((eb) =>
          eb.or([
            eb('data_key.version', '<', eb.ref('excluded.version')),
            eb.and([
              eb('data_key.version', '=', eb.ref('excluded.version')),
              eb('data_key.wrapped', 'is not', null),
              eb('data_key.wrapped', 'is distinct from', eb.ref('excluded.wrapped')),
            ]),
          ]),
        ),
    )
    .execute();
};

async function* pagesBy<Key extends string, Row extends Record<Key, Buffer>>(
  key: Key,
  pageAfter: (last: Buffer) => Promise<Row[]>,
): AsyncGenerator<Row[]> {
  for (let last: Buffer = Buffer.alloc(0); ;) {
    const rows = await pageAfter(last);
    if (rows.length > 0) yield rows;
    if (rows.length < PAGE) return;
    last = rows.at(-1)![key];
  }
}

// Drivers hand blobs out as either type.
const bufferOf = (bytes: Buffer | ArrayBuffer): Buffer => Buffer.from(bytes as Uint8Array);
