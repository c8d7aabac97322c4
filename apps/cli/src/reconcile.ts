import type { LedgerRow, LogCount, ParkedSummary } from '#libs/event-store';

/** What different places say about the deliveries of one account. */
export interface AccountBalance {
  tenant: string;
  channel: string;
  account: string;
  /** The ledger, through the position that it counts to. */
  recorded: number;
  duplicate: number;
  corrected: number;
  parked: number;
  /** The log, through the same position. */
  logRecorded: number;
  logCorrected: number;
  /** How often a message was parked, by the recorder or a channel. */
  parkedMessages: number;
  /** Contacts on timelines through the same position; absent for customer records, and while the timelines are behind. */
  entries?: number;
  /** What does not add up, in words; empty when everything does. */
  differences: string[];
}

/** Contacts on timelines, or erased from them, by account. */
export interface EntryCount {
  tenant: string;
  channel: string;
  account: string;
  entries: number;
}

export interface Sources {
  ledger: readonly LedgerRow[];
  log: LogCount['rows'];
  parked: readonly Pick<ParkedSummary, 'tenant' | 'channel' | 'account' | 'attempts'>[];
  entries?: readonly EntryCount[];
}

type Place = Pick<AccountBalance, 'tenant' | 'channel' | 'account'>;

/** Puts side by side what ledger, log, parked messages and timelines say, account by account. */
export const balance = ({ ledger, log, parked, entries }: Sources): AccountBalance[] => {
  const rows = new Map<string, AccountBalance>();
  const rowOf = ({ tenant, channel, account }: Place): AccountBalance => {
    const key = JSON.stringify([tenant, channel, account]);
    const row = rows.get(key) ?? {
      tenant,
      channel,
      account,
      recorded: 0,
      duplicate: 0,
      corrected: 0,
      parked: 0,
      logRecorded: 0,
      logCorrected: 0,
      parkedMessages: 0,
      ...(entries && channel !== 'profile' && { entries: 0 }),
      differences: [],
    };
    rows.set(key, row);
    return row;
  };
  for (const { recorded, duplicate, corrected, parked: count, ...place } of ledger)
    Object.assign(rowOf(place), { recorded, duplicate, corrected, parked: count });
  for (const { recorded, corrected, ...place } of log)
    Object.assign(rowOf(place), { logRecorded: recorded, logCorrected: corrected });
  for (const { attempts, ...place } of parked) rowOf(place).parkedMessages += attempts;
  // What was erased is counted apart from what is shown.
  for (const { entries: count, ...place } of entries ?? []) {
    const row = rowOf(place);
    row.entries = (row.entries ?? 0) + count;
  }
  for (const row of rows.values()) row.differences = differencesOf(row);
  return [...rows.values()].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
};

const keyOf = ({ tenant, channel, account }: Place): string => `${tenant}\u0000${channel}\u0000${account}`;

const differencesOf = (row: AccountBalance): string[] => {
  const found: string[] = [];
  const compare = (what: string, ledger: number, other: string, count: number): void => {
    if (ledger !== count) found.push(`${what}: the ledger has ${ledger}, ${other} ${count}`);
  };
  compare('recorded', row.recorded, 'the log', row.logRecorded);
  compare('corrected', row.corrected, 'the log', row.logCorrected);
  // More than the ledger knows is no loss: the program ended after parking and before it answered.
  if (row.parkedMessages < row.parked) compare('parked', row.parked, 'the parked messages', row.parkedMessages);
  if (row.entries !== undefined && row.entries !== row.logRecorded)
    found.push(`timelines: the log has ${row.logRecorded} contacts, the timelines ${row.entries}`);
  return found;
};
