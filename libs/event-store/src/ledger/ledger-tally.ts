import type { StoredEvent } from '../event-store.port.js';
import type { EventStore, Position } from '../event-store.port.js';
import type { DeliveryAccount, LedgerOutcome, LedgerRow, LogCount } from './delivery-ledger.port.js';

type Counted = Pick<StoredEvent, 'type' | 'tenant' | 'data' | 'revision'>;

const outcomes: Readonly<Record<string, 'recorded' | 'corrected'>> = {
  InteractionRecorded: 'recorded',
  InteractionCorrected: 'corrected',
  ProfileImported: 'recorded',
};

/** The types that stand for a delivery each. */
export const LEDGER_TYPES = Object.keys(outcomes);

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The delivery an event stands for, if it does. */
const deliveryOf = ({ type, tenant, data }: Counted): [DeliveryAccount, 'recorded' | 'corrected'] | undefined => {
  const outcome = outcomes[type];
  if (!outcome) return undefined;
  const { channel, account, source } = data as { channel?: unknown; account?: unknown; source?: unknown };
  return type === 'ProfileImported'
    ? [{ tenant, channel: 'profile', account: text(source) }, outcome]
    : [{ tenant, channel: text(channel), account: text(account) }, outcome];
};

const keyOf = ({ tenant, channel, account }: DeliveryAccount): string => `${tenant}\u0000${channel}\u0000${account}`;

/** Counts per account, in memory. */
export class LedgerCounts {
  private readonly rowsByKey = new Map<string, LedgerRow>();

  add({ tenant, channel, account }: DeliveryAccount, outcome: LedgerOutcome, by = 1): void {
    const key = keyOf({ tenant, channel, account });
    let row = this.rowsByKey.get(key);
    if (!row) {
      row = { tenant, channel, account, recorded: 0, duplicate: 0, corrected: 0, parked: 0 };
      this.rowsByKey.set(key, row);
    }
    row[outcome] += by;
  }

  /** Counts an appended event as the delivery it stands for. */
  addEvent(event: Counted): void {
    // A contact is recorded once, at the start of its stream; a second time is what the log count is to show.
    if (event.type === 'InteractionRecorded' && event.revision > 0) return;
    const delivery = deliveryOf(event);
    if (delivery) this.add(...delivery);
  }

  addAll(rows: Iterable<LedgerRow>): void {
    for (const row of rows)
      for (const outcome of ['recorded', 'duplicate', 'corrected', 'parked'] as const)
        this.add(row, outcome, row[outcome]);
  }

  /** Ordered by tenant, channel, account. */
  rows(): LedgerRow[] {
    return [...this.rowsByKey].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => ({ ...row }));
  }

  isEmpty(): boolean {
    return this.rowsByKey.size === 0;
  }

  clear(): void {
    this.rowsByKey.clear();
  }
}

type ReadableLog = Pick<EventStore, 'readAll' | 'head'>;

/** Counts what the log holds, every event of a counted type. */
export const countLog = async (log: ReadableLog, through?: Position): Promise<LogCount> => {
  const counts = new LedgerCounts();
  const end = through ?? (await log.head());
  for await (const events of log.readAll({ after: 0, through: end, types: LEDGER_TYPES, batchSize: 1000 }))
    for (const event of events) {
      const delivery = deliveryOf(event);
      if (delivery) counts.add(...delivery);
    }
  const rows = counts.rows().map(({ duplicate: _, parked: __, ...row }) => row);
  return { through: end, rows };
};

/** Counts what was appended after a position, as the ledger would have. */
export const countAppended = async (
  log: ReadableLog,
  after: Position,
  through: Position,
  counts: LedgerCounts,
): Promise<void> => {
  for await (const events of log.readAll({ after, through, types: LEDGER_TYPES, batchSize: 1000 }))
    for (const event of events) counts.addEvent(event);
};
