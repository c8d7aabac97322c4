import type { ParkedMessage, ParkedSummary } from '#libs/event-store';
import { toInstant } from '#libs/kernel';
import { span, table } from './table.js';

/** Parked messages as a table, in the order given. */
export const parkedTable = (messages: readonly ParkedSummary[], nowMs: number): string =>
  table(
    [
      { title: 'id' },
      { title: 'tenant' },
      { title: 'channel' },
      { title: 'account' },
      { title: 'stage' },
      { title: 'age', align: 'right' },
      { title: 'attempts', align: 'right' },
      { title: 'status' },
      { title: 'reason' },
    ],
    messages.map((m) => [
      m.id,
      m.tenant,
      m.channel,
      m.account,
      m.stage,
      span(nowMs - m.parkedAtMs),
      String(m.attempts),
      m.status,
      `${m.reasonCode}: ${m.reason}`,
    ]),
  );

/** Everything known of a parked message but its bytes, a line each. */
export const parkedFacts = (m: ParkedMessage): string => {
  const facts: [string, string | undefined][] = [
    ['id', m.id],
    ['tenant', m.tenant],
    ['channel', m.channel],
    ['account', m.account],
    ['stage', m.stage],
    ['reason', `${m.reasonCode}: ${m.reason}`],
    ['received', toInstant(m.receivedAtMs)],
    ['parked', toInstant(m.parkedAtMs)],
    ['attempts', String(m.attempts)],
    ['status', m.status],
    ['outcome', m.outcome],
    ['discarded by', m.discardedBy],
    ['because', m.discardReason],
    ['receipt', m.receipt],
    ['content type', m.contentType],
    ['bytes', String(m.bytes.length)],
  ];
  return table(
    [{ title: '' }, { title: '' }],
    facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  ).replace(/^\s*\n/, '');
};
