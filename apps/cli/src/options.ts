import { parseInstantMs, toInstant, type Instant } from '#libs/kernel';
import { usageError } from './errors.js';

/**
 * A whole number within bounds.
 * @throws HubError `CLI.USAGE` naming the option
 */
export const wholeOption = (option: string, text: string, least: number, most: number): number => {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : -1;
  if (value >= least && value <= most) return value;
  throw usageError(option, `"${text}" is not a whole number of ${least} to ${most}`, `write for example ${least}`);
};

/** The parts of a comma-separated list; undefined where nothing is given. */
export const listOption = (text: string | undefined): string[] | undefined => {
  const items = text
    ?.split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
  return items && items.length > 0 ? items : undefined;
};

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/**
 * A span such as `7d`, `12h`, `2w`, or `0`, in milliseconds.
 * @throws HubError `CLI.USAGE` naming the option
 */
export const spanOption = (option: string, text: string): number => {
  const ms = text === '0' ? 0 : spanMs(text);
  if (ms === undefined) throw usageError(option, `"${text}" is no span of time`, 'write 0, 12h, 7d or 2w');
  return ms;
};

const spanMs = (text: string): number | undefined => {
  const span = /^(\d{1,5})([hdw])$/.exec(text);
  return span ? Number(span[1]) * UNIT_MS[span[2]!]! : undefined;
};

/**
 * An instant to come: ISO 8601 with zone, a day (its midnight in UTC), or a span from now such as `90d`, `12h`, `2w`.
 * @throws HubError `CLI.USAGE` naming the option
 */
export const futureOption = (option: string, text: string, nowMs: number): Instant => {
  const span = spanMs(text);
  const ms =
    span !== undefined ? nowMs + span : parseInstantMs(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text);
  if (ms === undefined)
    throw usageError(option, `"${text}" is no moment`, 'write 90d, 12h, 2030-01-31 or 2030-01-31T00:00:00Z');
  if (ms <= nowMs) throw usageError(option, `${toInstant(ms)} is over`, 'write a moment to come');
  return toInstant(ms);
};
