import { toInstant } from '#libs/kernel';
import type { IgnoredItem, ParsedInteraction } from '../channel-adapter.port.js';
import { contactOf, sha256 } from '../shared/contact.js';
import { attributesOf, cleanText, countOf, lineOf } from '../shared/lax.js';
import { callerIdentifiers } from '../shared/phone-caller.js';
import type { QueueLogLine } from './queue-log.types.js';

/** One line; undefined for what is no line of a queue log. */
export const parseQueueLogLine = (text: string): QueueLogLine | undefined => {
  const [at, callId, queue, agent, event, ...data] = cleanText(text.slice(0, 4096)).trimEnd().split('|');
  if (at === undefined || !/^\d{9,11}(?:\.\d{1,6})?$/.test(at) || !callId || !event) return undefined;
  return { atMs: Math.round(Number(at) * 1000), callId, queue: queue ?? '', agent: agent ?? '', event, data };
};

/** How a call leaves the queue, and where each event writes its waiting and talking seconds (index in `data`). */
interface Ending {
  outcome: 'answered' | 'abandoned' | 'timeout' | 'unserved';
  wait?: number;
  talk?: number;
  /** Index of the place in the queue. */
  position?: number;
  transferredTo?: number;
}

const endings: Readonly<Record<string, Ending>> = {
  COMPLETECALLER: { outcome: 'answered', wait: 0, talk: 1, position: 2 },
  COMPLETEAGENT: { outcome: 'answered', wait: 0, talk: 1, position: 2 },
  TRANSFER: { outcome: 'answered', transferredTo: 0, wait: 2, talk: 3, position: 4 },
  BLINDTRANSFER: { outcome: 'answered', transferredTo: 0, wait: 2, talk: 3, position: 4 },
  ATTENDEDTRANSFER: { outcome: 'answered', transferredTo: 0, wait: 2, talk: 3, position: 4 },
  ABANDON: { outcome: 'abandoned', position: 1, wait: 2 },
  EXITWITHTIMEOUT: { outcome: 'timeout', position: 1, wait: 2 },
  EXITEMPTY: { outcome: 'unserved', position: 1, wait: 2 },
  EXITWITHKEY: { outcome: 'unserved', position: 2, wait: 3 },
};

/** A call that is still in its queue or talking. `T` marks where its first line stands. */
interface OpenCall<T> {
  place: T;
  enteredMs: number;
  queue: string;
  caller: string | undefined;
  agent: string | undefined;
  connectedMs: number | undefined;
}

/**
 * Times at which calls entered queues that they left for elsewhere: they may come back under the same id. By digest of
 * the id, since they are kept in clear.
 */
export type QueueVisits = Record<string, number[]>;

const maxVisitors = 1000;
const hourMs = 3_600_000;

/**
 * Folds lines into calls. The same lines give the same calls wherever the fold starts, as long as it starts at or before
 * a call's first line: a call whose beginning was not seen is told by an earlier run and ignored.
 */
export class QueueCalls<T> {
  private readonly open = new Map<string, OpenCall<T>>();
  private readonly visits: Map<string, number[]>;

  constructor(
    private readonly account: string,
    private readonly maxOpenHours: number,
    visits: QueueVisits = {},
  ) {
    this.visits = new Map(Object.entries(visits));
  }

  /** Places of the first lines of the calls that have not ended. */
  openPlaces(): T[] {
    return [...this.open.values()].map((call) => call.place);
  }

  openCalls(): string[] {
    return [...this.open.keys()];
  }

  /** What must be kept to number later visits of a call alike. */
  visitsSoFar(): QueueVisits {
    return Object.fromEntries(this.visits);
  }

  /** The calls that a line ends: its own, and those it shows to be open for too long. A text is why there is none. */
  line(line: QueueLogLine, place: T): ParsedInteraction[] | string {
    const overdue = this.expire(line.atMs);
    const own = this.advance(line, place);
    if (typeof own !== 'string') return [...overdue, ...own];
    return overdue.length > 0 ? overdue : own;
  }

  /** Ends the calls that have been open for too long at this time. */
  expire(nowMs: number): ParsedInteraction[] {
    const overdue: ParsedInteraction[] = [];
    for (const [callId, call] of this.open) {
      // Insertion is by time of entry: the first young call ends the search.
      if (nowMs - call.enteredMs <= this.maxOpenHours * hourMs) break;
      this.open.delete(callId);
      overdue.push(this.contact(callId, call, undefined, undefined));
    }
    return overdue;
  }

  private advance(line: QueueLogLine, place: T): ParsedInteraction[] | string {
    const { callId, event } = line;
    if (event === 'ENTERQUEUE') {
      const left = this.open.get(callId);
      this.open.delete(callId);
      this.open.set(callId, {
        place,
        enteredMs: line.atMs,
        queue: line.queue,
        caller: line.data[1],
        agent: undefined,
        connectedMs: undefined,
      });
      // A call that enters again without having left: the lines between are lost.
      return left ? [this.contact(callId, left, undefined, undefined)] : [];
    }
    const ending = Object.hasOwn(endings, event) ? endings[event] : undefined;
    const call = this.open.get(callId);
    if (!call) return ending || event === 'CONNECT' ? 'abandoned-line' : 'not-a-contact';
    if (event === 'CONNECT') [call.agent, call.connectedMs] = [line.agent, line.atMs];
    if (!ending) return event === 'CONNECT' ? [] : 'not-a-contact';
    this.open.delete(callId);
    return [this.contact(callId, call, line, ending)];
  }

  private contact(
    callId: string,
    call: OpenCall<T>,
    line: QueueLogLine | undefined,
    ending: Ending | undefined,
  ): ParsedInteraction {
    const number = (index: number | undefined): number | undefined =>
      index === undefined ? undefined : countOf(line?.data[index]);
    const agent = lineOf(call.agent ?? line?.agent);
    const mayReturn =
      ending === undefined || ending.transferredTo !== undefined || ['timeout', 'unserved'].includes(ending.outcome);
    const { visit, firstEnteredMs } = this.visitOf(callId, call.enteredMs, mayReturn);
    const transferredTo = ending?.transferredTo === undefined ? undefined : lineOf(line?.data[ending.transferredTo]);
    const waited =
      number(ending?.wait) ??
      (call.connectedMs === undefined ? undefined : Math.round((call.connectedMs - call.enteredMs) / 1000));
    return contactOf({
      channel: 'phone',
      account: this.account,
      externalId: callId,
      // A call that leaves one queue for the next is one contact: the later queue corrects the earlier.
      revision: visit === 1 ? undefined : visit,
      kind: 'call',
      threadId: callId,
      direction: 'inbound',
      occurredAt: toInstant(firstEnteredMs),
      endedAt: line && toInstant(line.atMs),
      customer: { identifiers: callerIdentifiers(call.caller) },
      agent: agent === undefined || agent === 'NONE' ? undefined : agent,
      outcome: ending?.outcome ?? 'unknown',
      attributes: attributesOf({
        queue: lineOf(call.queue),
        waitSeconds: waited,
        talkSeconds: number(ending?.talk),
        position: number(ending?.position),
        transferredTo,
        visit: visit === 1 ? undefined : visit,
      }),
    });
  }

  private visitOf(callId: string, enteredMs: number, mayReturn: boolean): { visit: number; firstEnteredMs: number } {
    const call = sha256(callId);
    const known = this.visits.get(call) ?? [];
    const before = known.filter((ms) => ms < enteredMs);
    if (mayReturn && !known.includes(enteredMs)) {
      this.visits.set(call, [...known, enteredMs]);
      if (this.visits.size > maxVisitors) this.visits.delete(this.visits.keys().next().value!);
    }
    return { visit: 1 + before.length, firstEnteredMs: Math.min(enteredMs, ...before) };
  }
}

/** What a stretch of a queue log holds. */
export interface ParsedQueueLog {
  interactions: ParsedInteraction[];
  ignored: IgnoredItem[];
  /** Ids of calls that have not ended by the last line. */
  open: string[];
}

/** Reads whole lines of a log; `account` is the account's name. */
export const parseQueueLog = (lines: Iterable<string>, account: string, maxOpenHours = 24): ParsedQueueLog => {
  const calls = new QueueCalls<number>(account, maxOpenHours);
  const interactions: ParsedInteraction[] = [];
  const ignored: IgnoredItem[] = [];
  let number = 0;
  for (const text of lines) {
    number++;
    if (text.trim() === '') continue;
    const line = parseQueueLogLine(text);
    const read = line ? calls.line(line, number) : 'invalid';
    if (typeof read === 'string') ignored.push({ reason: read, item: `line ${number}` });
    else interactions.push(...read);
  }
  const open = calls.openCalls();
  return { interactions, ignored: [...ignored, ...open.map((item) => ({ reason: 'open-call', item }))], open };
};
