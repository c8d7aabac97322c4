import type { Position } from '#libs/event-store';
import { HubError, isUuid, parseInstantMs, toInstant, type Uuid } from '#libs/kernel';
import { dataOf, type HistoryRow } from './history-log.js';

/** Which part of the log; every condition given must hold, and an absent one holds for every event. */
export interface HistoryFilter {
  /** Recorded at or after, epoch milliseconds. */
  fromMs?: number;
  /** Recorded before, epoch milliseconds. */
  toMs?: number;
  /** First position included. */
  fromPosition?: Position;
  /** Last position included. */
  toPosition?: Position;
  types?: readonly string[];
  /** Contacts of these channels, and what was written down about them. An event that has no channel, such as a link, is left out. */
  channels?: readonly string[];
  tenant?: string;
  /**
   * Ids that stand for one customer: its identities, and its conversations where the caller knows them. An event
   * belongs when its stream or any value of its data is one of them.
   */
  customer?: ReadonlySet<Uuid>;
}

/** The same conditions as text, from a command line or a query string; lists are comma-separated. */
export interface HistoryFilterText {
  /** `2025-03-02T09:15:00Z`, or `2025-03-02` for its midnight in UTC; included. */
  from?: string;
  /** As `from`; excluded. */
  to?: string;
  fromPosition?: string;
  toPosition?: string;
  types?: string;
  channels?: string;
  tenant?: string;
  customer?: string;
}

// Says no value back: what stands in the wrong place may name somebody.
const invalid = (option: string, problem: string, fix: string): HubError =>
  new HubError('HISTORY.INVALID', `${option}: ${problem}; ${fix}`, { facts: { option } });

const instant = (option: string, text: string): number => {
  const ms = parseInstantMs(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text);
  if (ms !== undefined) return ms;
  const zoneless = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?$/.test(text);
  if (zoneless) throw invalid(option, 'has no time zone', `add Z or an offset: ${text.replace(' ', 'T')}Z`);
  throw invalid(option, 'is not an instant', 'write 2025-03-02T09:15:00Z, or 2025-03-02 for its midnight in UTC');
};

/**
 * A whole number of at least `least`.
 * @throws HubError `HISTORY.INVALID` naming the option
 */
export const wholeNumber = (option: string, text: string, least: number): number => {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : -1;
  if (value >= least) return value;
  throw invalid(option, `is not a whole number of at least ${least}`, `write for example ${least + 99}`);
};

const list = (option: string, text: string, form: RegExp, what: string, example: string): string[] => {
  const items = text.split(',').map((item) => item.trim());
  const wrong = items.findIndex((item) => !form.test(item));
  if (wrong >= 0)
    throw invalid(option, `entry ${wrong + 1} is not ${what}`, `write a comma-separated list such as ${example}`);
  return [...new Set(items)].toSorted();
};

/**
 * Reads a filter from text; an empty text counts as absent.
 * @param names what the caller calls the options, for messages: `{ fromPosition: 'position' }` or `{ from: '--from' }`
 * @throws HubError `HISTORY.INVALID`: the option, what is wrong with it, and what to write instead
 */
export const parseHistoryFilter = (
  text: HistoryFilterText,
  names: Partial<Record<keyof HistoryFilterText, string>> = {},
): HistoryFilter => {
  const filter: HistoryFilter = {};
  const given = (option: keyof HistoryFilterText, use: (value: string, name: string) => void): void => {
    const value = text[option]?.trim();
    if (value) use(value, names[option] ?? option);
  };
  given('from', (value, name) => (filter.fromMs = instant(name, value)));
  given('to', (value, name) => (filter.toMs = instant(name, value)));
  given('fromPosition', (value, name) => (filter.fromPosition = wholeNumber(name, value, 0)));
  given('toPosition', (value, name) => (filter.toPosition = wholeNumber(name, value, 0)));
  given('types', (value, name) => {
    filter.types = list(
      name,
      value,
      /^[A-Za-z][A-Za-z0-9]{0,63}$/,
      'the name of an event type',
      'InteractionRecorded,IdentitiesLinked',
    );
  });
  given('channels', (value, name) => {
    filter.channels = list(name, value, /^[a-z][a-z0-9-]{0,31}$/, 'the name of a channel', 'email,phone');
  });
  given('tenant', (value) => (filter.tenant = value));
  given('customer', (value, name) => {
    const ids = value.split(',').map((id) => id.trim().toLowerCase());
    const odd = ids.findIndex((id) => !isUuid(id));
    if (odd >= 0) throw invalid(name, `entry ${odd + 1} is not an id`, 'write UUIDs, comma-separated');
    filter.customer = new Set(ids);
  });
  if (filter.fromMs !== undefined && filter.toMs !== undefined && filter.fromMs >= filter.toMs)
    throw invalid(
      names.to ?? 'to',
      `${toInstant(filter.toMs)} is not after ${toInstant(filter.fromMs)}`,
      `choose a later instant than ${names.from ?? 'from'}`,
    );
  if (filter.fromPosition !== undefined && filter.toPosition !== undefined && filter.fromPosition > filter.toPosition)
    throw invalid(
      names.toPosition ?? 'toPosition',
      `${filter.toPosition} is below ${filter.fromPosition}`,
      `choose at least ${names.fromPosition ?? 'fromPosition'}`,
    );
  return filter;
};

/** Whether an event belongs to the filtered part of the log. Cheap conditions first; data is parsed only for channels. */
export const matches = (event: HistoryRow, filter: HistoryFilter): boolean =>
  (filter.fromPosition === undefined || event.position >= filter.fromPosition) &&
  (filter.toPosition === undefined || event.position <= filter.toPosition) &&
  (filter.fromMs === undefined || event.recordedAtMs >= filter.fromMs) &&
  (filter.toMs === undefined || event.recordedAtMs < filter.toMs) &&
  (filter.tenant === undefined || event.tenant === filter.tenant) &&
  (filter.types === undefined || filter.types.includes(event.type)) &&
  (filter.customer === undefined || concerns(event, filter.customer)) &&
  (filter.channels === undefined || cameThrough(event, filter.channels));

const cameThrough = (event: HistoryRow, channels: readonly string[]): boolean => {
  if ('json' in event && !channels.some((channel) => event.json.includes(`"${channel}"`))) return false;
  const content = dataOf(event);
  return 'channel' in content && typeof content.channel === 'string' && channels.includes(content.channel);
};

// A quote that opens a value follows one of these characters; a quote inside a text follows a backslash.
const storedId = /[[:,{]\s*"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"/g;

const concerns = (event: HistoryRow, ids: ReadonlySet<Uuid>): boolean => {
  if (ids.has(event.stream.slice(event.stream.indexOf('-') + 1))) return true;
  if (!('json' in event)) return mentions(event.data, ids);
  for (const match of event.json.matchAll(storedId)) if (ids.has(match[1]!)) return true;
  return false;
};

const mentions = (value: unknown, ids: ReadonlySet<Uuid>): boolean => {
  if (typeof value === 'string') return ids.has(value);
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some((item) => mentions(item, ids));
  return Object.entries(value).some(([key, item]) => ids.has(key) || mentions(item, ids));
};

/** A filter as flat text, equal for equal filters: what an interrupted export keeps in order to be resumed by the same one. */
export const filterFacts = (filter: HistoryFilter): Record<string, string> => {
  const facts: Record<string, string> = {};
  if (filter.fromMs !== undefined) facts.from = toInstant(filter.fromMs);
  if (filter.toMs !== undefined) facts.to = toInstant(filter.toMs);
  if (filter.fromPosition !== undefined) facts.fromPosition = String(filter.fromPosition);
  if (filter.toPosition !== undefined) facts.toPosition = String(filter.toPosition);
  if (filter.types !== undefined) facts.types = [...new Set(filter.types)].toSorted().join(',');
  if (filter.channels !== undefined) facts.channels = [...new Set(filter.channels)].toSorted().join(',');
  if (filter.tenant !== undefined) facts.tenant = filter.tenant;
  if (filter.customer !== undefined) facts.customer = [...filter.customer].toSorted().join(',');
  return facts;
};
