import type { Kysely } from 'kysely';
import type { ReadModelSchema } from './read-model.schema.js';
import type { BulkInsert, Statement } from './statement.js';

/** Runs compiled statements inside one transaction of the read model. An engine may answer at once or later. */
export interface ReadModelSession {
  /** Each question costs a round trip: few of them are better than many. */
  readonly isFar?: boolean;
  run<Values extends object>(statement: Statement<Values>, values: Values): void | Promise<void>;
  insert<Row extends object>(insert: BulkInsert<Row>, rows: readonly Row[]): void | Promise<void>;
  all<Values extends object, Row>(statement: Statement<Values, Row>, values: Values): Row[] | Promise<Row[]>;
  /** Runs what must answer with a row: where it has none, nothing of the transaction is kept, and it ends with that error. */
  must<Values extends object, Row>(statement: Statement<Values, Row>, values: Values, otherwise: () => Error): void;
}

/**
 * Rows that answer questions, folded from the log and rebuildable from position 0.
 *
 * Promises of every adapter (checked by `read-model.contract.ts`): `transaction` keeps all or nothing and sees its
 * own rows; a reader sees whole transactions only, and within a `snapshot` the same ones; `insert` keeps the order given. A lost tail is harmless, since rows and checkpoint go together.
 */
export abstract class ReadModel {
  /** For queries; never for writing. */
  abstract readonly db: Kysely<ReadModelSchema>;

  /** Several reads of one state of the rows, whatever is committed meanwhile. Inside, only the given handle may be asked. */
  abstract snapshot<T>(read: (db: Kysely<ReadModelSchema>) => Promise<T>): Promise<T>;

  abstract transaction<T>(work: (session: ReadModelSession) => Promise<T>): Promise<T>;

  abstract close(): Promise<void>;
}

/** Name under which the one projector of this read model keeps its place. */
export const PROJECTOR = 'read-model';

/** Shape of all rows; raise it when a fold changes what it writes, and every installation folds anew. */
export const READ_MODEL_VERSION = 4;
