import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely';
import type { SqliteValue } from '#libs/kernel/sqlite.js';
import type { VaultThread } from './vault-thread.js';

/** Has Kysely's statements run in the thread, each of them whole in itself: it knows no transactions. */
export class VaultThreadDriver implements Driver {
  private readonly connection: DatabaseConnection;

  constructor(private readonly thread: VaultThread) {
    this.connection = {
      executeQuery: async <Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> => {
        const { rows, changes } = await thread.query(sql, parameters as readonly SqliteValue[]);
        return { rows: rows as Row[], ...(changes !== undefined && { numAffectedRows: BigInt(changes) }) };
      },
      streamQuery: () => {
        throw new Error('rows of the vault are read in pages');
      },
    };
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.connection;
  }

  beginTransaction = noTransactions;
  commitTransaction = noTransactions;
  rollbackTransaction = noTransactions;

  async releaseConnection(): Promise<void> {}

  destroy(): Promise<void> {
    return this.thread.close();
  }
}

async function noTransactions(): Promise<void> {
  throw new Error('the vault knows no transactions');
}
