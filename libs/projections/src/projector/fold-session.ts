import type { ReadModelSession } from '../read-model/read-model.port.js';
import type { Statement } from '../read-model/statement.js';
import type { Shard } from '../shards.js';
import { SeenIds } from './seen-ids.js';
import { IDS_A_QUESTION, type FoldStatements } from './statements.js';

interface Counters {
  tenant: number;
  label: number;
  identity: number;
  conversation: number;
  link: number;
}

/**
 * What the folds of a batch ask and write through: the transaction and its statements, and the surrogate keys handed out
 * so far. Keys come from here and not from the engine, so that every engine and every rebuild gives the same ones.
 */
export class FoldSession {
  /** The transaction of the batch. */
  rows!: ReadModelSession;
  private counters?: Counters;
  // Identities, conversations and links that have a row. Known only to a bulk write that began with an empty read model: it need
  // not ask for what occurs for the first time, which most of its questions would be.
  private met?: SeenIds;

  constructor(
    readonly statements: FoldStatements,
    private readonly bulk: boolean,
    private readonly shard: Shard,
  ) {}

  async begin(rows: ReadModelSession): Promise<void> {
    this.rows = rows;
    if (this.counters) return;
    this.counters = (await rows.all(this.statements.highestKeys, {}))[0]!;
    if (this.bulk && Object.values(this.counters).every((key) => key === 0)) this.met = new SeenIds();
  }

  /** After a transaction that was rolled back: asks again which keys are taken. */
  reset(): void {
    this.counters = undefined;
  }

  /** The next key of a table, among those of this shard. */
  next(table: keyof Counters): number {
    const { index, of } = this.shard;
    const least = this.counters![table] + 1;
    return (this.counters![table] = least + ((index + of - (least % of)) % of));
  }

  /** Whether an identity, conversation or link may have a row; one that has is never denied. */
  mayHaveRow(id: Buffer): boolean {
    return this.met?.has(id) !== false;
  }

  /** Tells that an identity, conversation or link gets a row. */
  getsRow(id: Buffer): void {
    this.met?.add(id);
  }

  /** The rows of many ids, asked for in few questions, those that have none left out. */
  async findAll<Row>(find: Statement<Record<number, Buffer>, Row>, ids: readonly Buffer[]): Promise<Row[]> {
    const wanted = ids.filter((id) => this.mayHaveRow(id));
    const answers = await Promise.all(questionsOf(wanted).map(async (question) => this.rows.all(find, question)));
    return answers.flat();
  }
}

const questionsOf = (ids: readonly Buffer[]): Buffer[][] =>
  Array.from({ length: Math.ceil(ids.length / IDS_A_QUESTION) }, (_, question) =>
    Array.from({ length: IDS_A_QUESTION }, (__, n) => ids[Math.min(question * IDS_A_QUESTION + n, ids.length - 1)]!),
  );
