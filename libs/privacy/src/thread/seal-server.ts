import { HubError, codeOf, messageOf } from '#libs/kernel';
import type { SqliteDatabase } from '#libs/kernel/sqlite.js';
import { KEY_BYTES } from '../master-key/master-key.js';
import { sealText } from '../seal/seal-texts.js';
import { openKeysFile } from '../vault/sqlite/keys-file.js';
import {
  unpackParameters,
  type FromSealThread,
  type SealAnswer,
  type SealRequest,
  type SqlAnswer,
  type ToSealThread,
} from './seal-thread.protocol.js';

/** Does what the main thread asks, one request after the other; it keeps no key. */
export class SealServer {
  private file: SqliteDatabase | undefined;

  serve({ call, ...request }: ToSealThread): FromSealThread {
    try {
      return { call, answer: this.answer(request) };
    } catch (error) {
      return { call, error: { code: codeOf(error), message: messageOf(error) } };
    }
  }

  private answer(request: SealRequest): SealAnswer {
    switch (request.type) {
      case 'seal':
        return sealAll(request);
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

const sealAll = ({ secrets, versions, bounds, texts }: Extract<SealRequest, { type: 'seal' }>): string[] => {
  const keys = Buffer.from(secrets.buffer, secrets.byteOffset, secrets.byteLength);
  return texts.map((text, i) =>
    sealText({
      secret: keys.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES),
      version: versions[i]!,
      bound: bounds[i]!,
      text,
    }),
  );
};

const query = (
  { driver }: SqliteDatabase,
  { sql, parameters, blobs }: Extract<SealRequest, { type: 'query' }>,
): SqlAnswer => {
  const statement = driver.prepare(sql);
  const values = unpackParameters(parameters, blobs);
  if (statement.reader) return { rows: statement.all(values) };
  return { rows: [], changes: statement.run(values).changes };
};
