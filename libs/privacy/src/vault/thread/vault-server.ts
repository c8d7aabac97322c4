import { HubError, codeOf, messageOf } from '#libs/kernel';
import type { SqliteDatabase } from '#libs/kernel/sqlite.js';
import { openKeysFile } from '../sqlite/keys-file.js';
import {
  unpackParameters,
  type FromVaultThread,
  type VaultAnswer,
  type VaultRequest,
  type SqlAnswer,
  type ToVaultThread,
} from './vault-thread.protocol.js';

/** Does what the main thread asks, one request after the other. */
export class VaultServer {
  private file: SqliteDatabase | undefined;

  serve({ call, ...request }: ToVaultThread): FromVaultThread {
    try {
      return { call, answer: this.answer(request) };
    } catch (error) {
      return { call, error: { code: codeOf(error), message: messageOf(error) } };
    }
  }

  private answer(request: VaultRequest): VaultAnswer {
    switch (request.type) {
      case 'open':
        this.file = openKeysFile(request.file);
        return undefined;
      case 'exec':
        this.opened().exec(request.sql);
        return undefined;
      case 'query':
        return query(this.opened(), request);
      case 'close':
        this.file?.close();
        this.file = undefined;
    }
  }

  private opened(): SqliteDatabase {
    if (!this.file) throw new HubError('KEY_VAULT.FAILED', 'the key vault is closed');
    return this.file;
  }
}

const query = (
  { driver }: SqliteDatabase,
  { sql, parameters, blobs }: Extract<VaultRequest, { type: 'query' }>,
): SqlAnswer => {
  const statement = driver.prepare(sql);
  const values = unpackParameters(parameters, blobs);
  if (statement.reader) return { rows: statement.all(values) };
  return { rows: [], changes: statement.run(values).changes };
};
