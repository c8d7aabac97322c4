import type * as PgPackage from 'pg';

/** A column as COPY takes it in text format. */
export type CopiedValue = string | number | Buffer | null;

const SPECIAL = /[\\\t\n\r\0]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

// PostgreSQL has no NUL in texts.
const textOf = (value: CopiedValue): string => {
  if (typeof value === 'number') return String(value);
  if (value === null) return '\\N';
  if (typeof value !== 'string') return `\\\\x${value.toString('hex')}`;
  return SPECIAL.test(value) ? value.replaceAll(/[\\\t\n\r\0]/g, (found) => ESCAPES[found] ?? '\ufffd') : value;
};

/** Rows as COPY takes them in text format. */
export const copyText = <Row extends object>(
  columns: readonly (keyof Row & string)[],
  rows: readonly Row[],
): string => {
  let text = '';
  for (const row of rows) {
    let separator = '';
    for (const column of columns) {
      text += separator + textOf((row[column] ?? null) as CopiedValue);
      separator = '\t';
    }
    text += '\n';
  }
  return text;
};

const COPY_DATA = 0x64;
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);

/** Rows and the end of them as messages of the protocol. */
const messagesOf = (text: string): Buffer => {
  const length = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(5 + length + COPY_DONE.length);
  bytes[0] = COPY_DATA;
  bytes.writeUInt32BE(4 + length, 1);
  bytes.write(text, 5);
  COPY_DONE.copy(bytes, 5 + length);
  return bytes;
};

/**
 * Runs `COPY … FROM STDIN`. Its rows are sent right behind it, not when the server asks for them: where it refuses the
 * statement it passes over them, so others may be sent behind it as well.
 * @param text what `copyText` makes
 */
export const copyIn = (
  { Query }: typeof PgPackage,
  client: PgPackage.ClientBase,
  statement: string,
  text: string,
): Promise<PgPackage.QueryResult> =>
  new Promise((resolve, reject) => {
    const query = new Query(statement, (error, result) => (error ? reject(error) : resolve(result)));
    query.submit = (connection) => {
      connection.query(statement);
      connection.stream.write(messagesOf(text));
    };
    client.query(Object.assign(query, { handleCopyInResponse: () => undefined }));
  });
