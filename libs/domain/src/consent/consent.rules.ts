/** What was said of one purpose on one channel, by an identity or in a customer record. */
export interface ConsentStatement {
  /** Whose word it is: an identity, or a customer record, which is heard beside what people said themselves. */
  speaker: string | number;
  purpose: string;
  /** Undefined: every channel. */
  channel?: string | undefined;
  granted: boolean;
  /** Epoch milliseconds from which on it no longer holds. */
  untilMs?: number | undefined;
  /** Place in the log: the newest word of a speaker counts. */
  position: number;
}

/** Which channel was wished for. */
export interface PreferenceStatement {
  /** Undefined: in general. */
  purpose?: string | undefined;
  /** Undefined: the wish was taken back. */
  channel?: string | undefined;
  untilMs?: number | undefined;
  position: number;
}

/** Whether a statement no longer holds. It takes the older ones it has replaced with it. */
const isOver = ({ untilMs }: { untilMs?: number | undefined }, atMs: number): boolean =>
  untilMs !== undefined && untilMs <= atMs;

const newestBy = <Of extends { position: number }>(statements: Iterable<Of>, keyOf: (one: Of) => string): Of[] => {
  const newest = new Map<string, Of>();
  for (const one of statements) {
    const key = keyOf(one);
    const known = newest.get(key);
    if (!known || one.position > known.position) newest.set(key, one);
  }
  return [...newest.values()];
};

const byText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/**
 * What holds of a customer at an instant, out of everything its speakers have said, in any order: of each speaker the newest
 * word on a purpose and channel, a denial by any of them before all grants, and a denial on every channel before grants on
 * single ones. So joining and parting identities turns no denial into a grant. By purpose, then channel.
 */
export const effectiveConsents = <Of extends ConsentStatement>(statements: Iterable<Of>, atMs: number): Of[] => {
  const said = newestBy(statements, ({ speaker, purpose, channel = '' }) =>
    JSON.stringify([speaker, purpose, channel]),
  ).filter((one) => !isOver(one, atMs));
  const denied = said.filter(({ granted }) => !granted);
  const deniedSomewhere = new Set(denied.map(({ purpose, channel = '' }) => `${channel} ${purpose}`));
  const granted = said.filter(
    ({ granted: yes, purpose, channel = '' }) =>
      yes && !deniedSomewhere.has(` ${purpose}`) && !deniedSomewhere.has(`${channel} ${purpose}`),
  );
  return newestBy([...denied, ...granted], ({ purpose, channel = '' }) => `${channel} ${purpose}`).toSorted(
    (a, b) => byText(a.purpose, b.purpose) || byText(a.channel ?? '', b.channel ?? ''),
  );
};

/** What effective statements say of a purpose, on a channel or on every one; undefined where they say nothing. */
export const consentGiven = (
  effective: readonly Pick<ConsentStatement, 'purpose' | 'channel' | 'granted'>[],
  purpose: string,
  channel?: string,
): boolean | undefined => {
  const on = (which: string | undefined) =>
    effective.find((one) => one.purpose === purpose && one.channel === which)?.granted;
  return on(undefined) === false ? false : (on(channel) ?? on(undefined));
};

/**
 * The wishes that hold at an instant: for each purpose, and in general, the newest word of all, where it has
 * not been taken back and is not over. The general one first, then by purpose.
 */
export const effectivePreferences = <Of extends PreferenceStatement>(
  statements: Iterable<Of>,
  atMs: number,
): (Of & { channel: string })[] =>
  newestBy(statements, ({ purpose = '' }) => purpose)
    .filter((one): one is Of & { channel: string } => one.channel !== undefined && !isOver(one, atMs))
    .toSorted((a, b) => byText(a.purpose ?? '', b.purpose ?? ''));
