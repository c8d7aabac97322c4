import { createHash } from 'node:crypto';
import { Socket } from 'node:net';
import type { Kysely, PostgresPool as KyselyPool } from 'kysely';
import type * as KyselyPackage from 'kysely';
import type * as PgPackage from 'pg';
import { HubError, codeOf, messageOf } from './errors.js';
import { latePackage } from './late-package.js';
import { copyIn, copyText } from './postgres-copy.js';

/** Loaded when the first connection is opened: the embedded engines need none. */
const pg = latePackage<typeof PgPackage>('pg');
// As CommonJS it is the copy that the embedded engines use too.
const kysely = latePackage<typeof KyselyPackage>('kysely');

export interface PostgresOptions {
  /** `postgres://user:password@host:5432/database?sslmode=verify-full`; never logged. */
  url: string;
  /** Where unqualified names of tables are. Made by whoever migrates. Lower-case letters, digits and `_`, at most 63. */
  schema: string;
  /** First half of the codes of failures, for example `READ_MODEL`. */
  room: string;
  /** Most connections at once. @default 10 */
  connections?: number;
  /** Milliseconds after which the server gives a statement up; 0: never. @default 30000 */
  statementTimeoutMs?: number;
  /** Every write is refused. @default false */
  readonly?: boolean;
  /** A commit does not wait for the disk: a crash of the server may take the last ones, whole. @default false */
  unsynced?: boolean;
  /**
   * Milliseconds after which the server ends a connection that says nothing inside of a transaction, and lets go what it
   * holds: its program may be cut off. @default never
   */
  silentWithinMs?: number;
  /**
   * Rows are looked up by keys: no table is read whole where there is an index, though the server may take one that has
   * just been made for small, and keeps to what it decided then. @default false
   */
  byKeys?: boolean;
}

export interface PostgresResult<Row> {
  command: 'UPDATE' | 'DELETE' | 'INSERT' | 'SELECT' | 'MERGE';
  rowCount: number;
  rows: Row[];
}

/** One connection. Queries are sent without waiting for each other's answers where it `pipelines`. */
export interface PostgresClient {
  query<Row>(sql: string, parameters?: readonly unknown[]): Promise<PostgresResult<Row>>;
  /** The same as a statement that the server prepares once a connection: for a text that comes again and again. */
  prepared<Row>(sql: string, parameters: readonly unknown[]): Promise<PostgresResult<Row>>;
  /** Adds rows to a table by COPY: for many of them, of which none may be there already. */
  copy<Row extends object>(
    table: string,
    columns: readonly (keyof Row & string)[],
    rows: readonly Row[],
  ): Promise<PostgresResult<never>>;
  release(): void;
}

/** Connections to one schema. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
  /** Asks over any connection. */
  query<Row>(sql: string, parameters?: readonly unknown[]): Promise<PostgresResult<Row>>;
  /** Kysely over these connections; `destroy` ends them. */
  kysely<Schema>(): Kysely<Schema>;
  end(): Promise<void>;
}

const SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/;
/** What the names of schemas begin with: rooms add theirs. */
const PREFIX = /^[a-z_][a-z0-9_]{0,31}$/;
const LOCAL = /^(localhost|127\.0\.0\.1|\[::1\]|)$/;
const CONNECT_WITHIN_MS = 10_000;
/** The server notices within 20 s that a program is gone without a word, and lets go what it holds. */
const KEEPALIVE = '-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=3 -c tcp_keepalives_count=3';

/**
 * That an address can be used: of PostgreSQL, and in production with a checked certificate or on this machine.
 * @throws HubError `SETTINGS.INVALID` naming the variable, never the address, which holds a password
 */
export const checkPostgresUrl = (url: string, variable: string, production = isProduction()): void => {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !['postgres:', 'postgresql:'].includes(parsed.protocol))
    throw new HubError('SETTINGS.INVALID', `${variable}: is no address such as postgres://user:password@host/database`);
  const schema = parsed.searchParams.get('schema');
  if (schema !== null && !PREFIX.test(schema))
    throw new HubError('SETTINGS.INVALID', `${variable}: schema must match ${PREFIX.source}`);
  const host = hostOf(parsed);
  const local = host.startsWith('/') || LOCAL.test(host);
  if (production && !local && parsed.searchParams.get('sslmode') !== 'verify-full')
    throw new HubError(
      'SETTINGS.INVALID',
      `${variable}: in production the server's certificate is checked; add ?sslmode=verify-full (and sslrootcert)`,
    );
};

const hostOf = (address: URL): string => address.searchParams.get('host') ?? address.hostname;

const isProduction = (): boolean => process.env.NODE_ENV === 'production';

/** The schema of a room: the address may say by `?schema=` what the names of all of them begin with, otherwise `hilo`. */
export const schemaFor = (url: string, room: string): string =>
  `${new URL(url).searchParams.get('schema') ?? 'hilo'}_${room}`;

/** Opens no connection yet; each is opened when it is needed. */
export const openPostgres = (options: PostgresOptions): PostgresPool => {
  const pool = new (pg().Pool)({
    ...configOf(options),
    max: options.connections ?? 10,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    idleTimeoutMillis: 60_000,
  });
  // A connection that breaks while idle is replaced when one is needed.
  pool.on('error', () => undefined);
  const clients = new WeakMap<PgPackage.PoolClient, PostgresClient>();
  const connect = async (): Promise<PostgresClient> => {
    const client = await pool.connect().catch((error: unknown) => {
      throw failureOf(options, error);
    });
    const known = clients.get(client);
    if (known) return known;
    // One that breaks while it is lent out is told of by its next query.
    client.on('error', () => undefined);
    const made = clientOf(client, options, (broken) => client.release(broken));
    clients.set(client, made);
    return made;
  };
  return {
    connect,
    query: async <Row>(sql: string, parameters?: readonly unknown[]) => {
      const client = await connect();
      try {
        return await client.query<Row>(sql, parameters);
      } finally {
        client.release();
      }
    },
    kysely: <Schema>() => {
      const { Kysely, PostgresDialect } = kysely();
      // The dialect asks as `query` is asked; cursors, which its type has beside that, are not used.
      const connections = { connect, end: () => pool.end() } as unknown as KyselyPool;
      return new Kysely<Schema>({ dialect: new PostgresDialect({ pool: connections }) });
    },
    end: () => pool.end(),
  };
};

/** A connection of its own. */
export interface PostgresSession extends PostgresClient {
  /** Names of channels that `LISTEN` was said for, and what was sent; until the connection ends. */
  onNotification(hear: (channel: string, payload: string) => void): void;
  /** Called once, when the connection is lost or closed. */
  onEnd(hear: () => void): void;
}

/**
 * Opens one connection outside of any pool, to write through or to listen on; `release` closes it.
 * @param pipelines queries are sent before those in front of them are answered: for writes that nothing waits for
 */
export const connectPostgres = async (options: PostgresOptions, pipelines = false): Promise<PostgresSession> => {
  const socket = new Socket();
  const client = new (pg().Client)({
    ...configOf(options),
    pipeline: pipelines,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    stream: () => socket,
  });
  let hearEnd: () => void = () => undefined;
  client.on('error', () => undefined);
  client.on('end', () => hearEnd());
  await client.connect().catch((error: unknown) => {
    throw failureOf(options, error);
  });
  const asking = clientOf(client, options, () => void client.end().catch(() => undefined));
  return {
    ...asking,
    ...(pipelines && {
      prepared: (sql, parameters) => (together(socket), asking.prepared(sql, parameters)),
      copy: (table, columns, rows) => (together(socket), asking.copy(table, columns, rows)),
    }),
    onNotification: (hear) => void client.on('notification', ({ channel, payload }) => hear(channel, payload ?? '')),
    onEnd: (hear) => (hearEnd = hear),
  };
};

/** What is sent in one turn of the event loop goes out in one write: the system charges for each. */
const together = (socket: Socket): void => {
  if (socket.writableCorked > 0) return;
  socket.cork();
  process.nextTick(() => socket.uncork());
};

const configOf = ({
  url,
  schema,
  statementTimeoutMs = 30_000,
  readonly = false,
  unsynced = false,
  silentWithinMs = 0,
  byKeys = false,
}: PostgresOptions): PgPackage.ClientConfig => {
  if (!SCHEMA.test(schema)) throw new HubError('SETTINGS.INVALID', `"${schema}" is no name of a schema`);
  const address = new URL(url);
  address.searchParams.delete('schema');
  const given = address.searchParams.get('options');
  const parameters = [
    ...(given ? [given] : []),
    `-c search_path=${schema}`,
    KEEPALIVE,
    ...(readonly ? ['-c default_transaction_read_only=on'] : []),
    ...(unsynced ? ['-c synchronous_commit=off'] : []),
    // What is read whole all the same counts as so dear that the server would compile it first.
    ...(byKeys ? ['-c enable_seqscan=off', '-c jit=off'] : []),
  ];
  address.searchParams.set('options', parameters.join(' '));
  return {
    connectionString: address.href,
    application_name: schema,
    keepAlive: true,
    statement_timeout: statementTimeoutMs,
    ...(silentWithinMs > 0 && { idle_in_transaction_session_timeout: silentWithinMs }),
    types: { getTypeParser },
  };
};

const INT8 = 20;
const NUMERIC = 1700;

// Positions, instants, counts and sums: all of them integers below 2^53.
const integer = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is beyond what a number holds exactly`);
  return value;
};

const getTypeParser: PgPackage.CustomTypesConfig['getTypeParser'] = (oid: number, format?: 'text' | 'binary') =>
  oid === INT8 || oid === NUMERIC ? integer : (pg().types.getTypeParser(oid, format) as (text: string) => unknown);

// PostgreSQL has no NUL in texts; edges take none in, and what got past them is no reason to stand still.
const storable = (value: unknown): unknown =>
  typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value;

/** A name for the server; the same text gets the same. */
const names = new Map<string, string>();
const nameOf = (sql: string): string => {
  let name = names.get(sql);
  if (name === undefined)
    names.set(sql, (name = `hilo_${createHash('sha256').update(sql).digest('base64url').slice(0, 22)}`));
  return name;
};

const clientOf = (
  client: PgPackage.ClientBase,
  options: PostgresOptions,
  release: (broken: boolean) => void,
): PostgresClient => {
  let broken = false;
  const told = async <Row>(answer: Promise<PgPackage.QueryResult>): Promise<PostgresResult<Row>> => {
    try {
      const { command, rowCount, rows } = await answer;
      return { command: command as PostgresResult<Row>['command'], rowCount: rowCount ?? 0, rows: rows as Row[] };
    } catch (error) {
      if (isConnectionLoss(error)) broken = true;
      throw failureOf(options, error);
    }
  };
  return {
    query: (text, parameters = []) => told(client.query({ text, values: parameters.map(storable) })),
    prepared: (text, parameters) => told(client.query({ name: nameOf(text), text, values: parameters.map(storable) })),
    copy: (table, columns, rows) => {
      const list = columns.map((column) => `"${column}"`).join(', ');
      return told(copyIn(pg(), client, `COPY ${table} (${list}) FROM STDIN`, copyText(columns, rows)));
    },
    release: () => release(broken),
  };
};

/** Whether a code is the server's; every one of its has a digit, unlike EPIPE, which is the system's. */
export const isSqlState = (code: string | undefined): code is string =>
  code !== undefined && /^(?=.*[0-9])[0-9A-Z]{5}$/.test(code);

const isConnectionLoss = (error: unknown): boolean => {
  const code = codeOf(error);
  return !isSqlState(code) || /^(08|57P|25P03)/.test(code);
};

// Lost connection, no resources, shutting down, deadlock, lock, statement or idle timeout, a server that became read-only.
const PASSING = /^(08|53|57P|40001|40P01|55P03|57014|25006|25P03)/;

/** What PostgreSQL's failure means to who asked: passing ones are retryable. Values of rows are in the cause alone. */
const failureOf = ({ room, url }: PostgresOptions, cause: unknown): HubError => {
  const code = codeOf(cause);
  if (cause instanceof RangeError || cause instanceof TypeError)
    return new HubError(`${room}.FAILED`, messageOf(cause), { cause });
  if (!isSqlState(code))
    return new HubError(
      `${room}.UNAVAILABLE`,
      `PostgreSQL at ${hostOf(new URL(url))} cannot be reached (${code ?? 'the connection broke'})`,
      { retryable: true, cause },
    );
  return PASSING.test(code)
    ? new HubError(`${room}.UNAVAILABLE`, `PostgreSQL cannot answer now (${code})`, { retryable: true, cause })
    : new HubError(`${room}.FAILED`, `PostgreSQL refused a statement (${code})`, { cause, facts: { sqlState: code } });
};
