import { balance, type Sources } from './reconcile.js';

const place = { tenant: 'casa', channel: 'email', account: 'hello' };
const sources: Sources = {
  ledger: [
    { ...place, recorded: 10, duplicate: 2, corrected: 1, parked: 1 },
    { ...place, channel: 'profile', account: 'crm', recorded: 3, duplicate: 0, corrected: 0, parked: 0 },
  ],
  log: [
    { ...place, recorded: 10, corrected: 1 },
    { ...place, channel: 'profile', account: 'crm', recorded: 3, corrected: 0 },
  ],
  parked: [{ ...place, attempts: 1 }],
  entries: [{ ...place, entries: 10 }],
};
const differences = (changed: Partial<Sources>): string[] =>
  balance({ ...sources, ...changed }).flatMap((row) => row.differences);

describe('the balance of deliveries', () => {
  it('adds up when ledger, log, parked messages and timelines agree', () => {
    expect(differences({})).toEqual([]);
    expect(differences({ entries: undefined })).toEqual([]);
  });

  it('names what the log has lost or holds too often', () => {
    expect(differences({ log: [{ ...place, recorded: 9, corrected: 2 }, sources.log[1]!] })).toEqual([
      'recorded: the ledger has 10, the log 9',
      'corrected: the ledger has 1, the log 2',
      'timelines: the log has 9 contacts, the timelines 10',
    ]);
  });

  it('names a parked message that is gone, but none that was parked before its sender heard of it', () => {
    expect(differences({ parked: [] })).toEqual(['parked: the ledger has 1, the parked messages 0']);
    expect(differences({ parked: [{ ...place, attempts: 2 }] })).toEqual([]);
  });

  it('names contacts that are on no timeline, and accounts that only one side knows', () => {
    expect(differences({ entries: [] })).toEqual(['timelines: the log has 10 contacts, the timelines 0']);
    expect(differences({ log: [...sources.log, { ...place, account: 'other', recorded: 1, corrected: 0 }] })).toEqual([
      'recorded: the ledger has 0, the log 1',
      'timelines: the log has 1 contacts, the timelines 0',
    ]);
  });
});
