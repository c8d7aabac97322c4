import { HubError } from '#libs/kernel';
import type { PostgresResult, PostgresSession } from '#libs/kernel/postgres.js';
import type { ReadModelSession } from '../read-model.port.js';
import type { BulkInsert, Statement } from '../statement.js';

/** From how many new rows on COPY costs less than an insert that is prepared. */
const COPIED = 4;

/** The statements of one transaction: writes are sent at once and answered for at its end, questions wait. */
export class Writes implements ReadModelSession {
  readonly isFar = true;
  private readonly sent: Promise<PostgresResult<unknown>>[] = [];
  private readonly gathered = new Map<BulkInsert<never>, object[]>();
  private readonly musts: Promise<unknown>[] = [];
  private late: { sql: string; values: unknown[] }[] = [];

  constructor(private readonly writer: PostgresSession) {}

  send(sql: string, parameters?: readonly unknown[]): void {
    this.hear(parameters ? this.writer.prepared(sql, parameters) : this.writer.query(sql));
  }

  private hear(answer: Promise<PostgresResult<unknown>>): void {
    // Heard of by `answered` and `failure`.
    answer.catch(() => undefined);
    this.sent.push(answer);
  }

  run<Values extends object>(statement: Statement<Values>, values: Values): void {
    if (statement.many) this.gather(statement.many, values);
    else if (statement.late) this.late.push({ sql: statement.sql, values: ordered(statement, values) });
    else {
      this.sendGathered();
      this.send(statement.sql, ordered(statement, values));
    }
  }

  private gather<Row extends object>(insert: BulkInsert<Row>, row: Row): void {
    const rows = this.gathered.get(insert);
    if (rows) rows.push(row);
    else this.gathered.set(insert, [row]);
  }

  /** New rows first: what is late may change them. */
  private sendGathered(): void {
    if (this.gathered.size > 0) {
      for (const [insert, rows] of this.gathered) this.insert(insert, rows as never[]);
      this.gathered.clear();
    }
    for (const { sql, values } of this.late) this.send(sql, values);
    this.late = [];
  }

  insert<Row extends object>({ table, ignoreKnown, columns, sizes }: BulkInsert<Row>, rows: readonly Row[]): void {
    if (!ignoreKnown && rows.length >= COPIED) {
      this.hear(this.writer.copy(table, columns, rows));
      return;
    }
    let next = 0;
    for (const size of sizes)
      while (next + size.rows <= rows.length) {
        const values: unknown[] = [];
        for (const end = next + size.rows; next < end; next++)
          for (const column of columns) values.push(rows[next]![column]);
        this.send(size.sql, values);
      }
  }

  async all<Values extends object, Row>(statement: Statement<Values, Row>, values: Values): Promise<Row[]> {
    this.sendGathered();
    return (await this.writer.prepared<Row>(statement.sql, ordered(statement, values))).rows;
  }

  must<Values extends object, Row>(statement: Statement<Values, Row>, values: Values, otherwise: () => Error): void {
    this.sendGathered();
    const answer = this.writer.prepared<Row>(statement.sql, ordered(statement, values)).then((result) => {
      if (result.rows.length === 0) throw otherwise();
      return result;
    });
    this.musts.push(answer);
    this.hear(answer);
  }

  /** Sends what is left, and resolves when everything was done. */
  async answered(): Promise<void> {
    this.sendGathered();
    await Promise.all(this.sent);
  }

  /** The same, with a commit that nothing of it has to wait for. */
  async commit(): Promise<void> {
    this.sendGathered();
    await Promise.all(this.musts);
    this.send('COMMIT');
    requireCommit((await Promise.all(this.sent)).at(-1)!);
  }

  /** The first thing that went wrong: what came after it in the transaction failed for that alone. */
  async failure(error: unknown): Promise<unknown> {
    const failed = (await Promise.allSettled(this.sent)).find(({ status }) => status === 'rejected');
    return failed ? (failed as PromiseRejectedResult).reason : error;
  }
}

/** A commit after a failed statement rolls back, and is no error. */
export const requireCommit = ({ command }: PostgresResult<unknown>): void => {
  if ((command as string) === 'ROLLBACK')
    throw new HubError('READ_MODEL.FAILED', 'PostgreSQL rolled a transaction back');
};

const ordered = <Values extends object>(statement: Statement<Values, unknown>, values: Values): unknown[] =>
  statement.slots.map((name) => values[name]);
