/** Stands for what is not shown, however long it is. */
export const HIDDEN = '***';

/** How one type of identifier is shown to who may not see it, and in words what of it still shows. */
interface Mask {
  readonly shows: string;
  readonly mask: (value: string) => string;
}

const NOTHING: Mask = { shows: 'nothing', mask: () => HIDDEN };

/** Short values give too much of themselves away by two characters. */
const LEAST_FOR_END = 8;
const LEAST_FOR_CARD_END = 12;
const LEAST_FOR_START = 3;

const end = (value: string, shown: number, least: number): string => {
  const characters = Array.from(value);
  return HIDDEN + (characters.length < least ? '' : characters.slice(-shown).join(''));
};

const start = (value: string): string => {
  const characters = Array.from(value);
  return (characters.length < LEAST_FOR_START ? '' : characters[0]) + HIDDEN;
};

/** What stands before the first colon: who gave the value out, not to whom. */
const issuer = (value: string): string => {
  const colon = value.indexOf(':');
  return /^[a-z0-9._-]{1,32}$/.test(value.slice(0, Math.max(0, colon))) ? value.slice(0, colon + 1) + HIDDEN : HIDDEN;
};

const email = (value: string): string => {
  const at = value.lastIndexOf('@');
  if (at < 1) return HIDDEN;
  const top = /\.([a-z]{2,12})$/.exec(value.slice(at + 1))?.[1];
  return `${start(value.slice(0, at))}@${HIDDEN}${top === undefined ? '' : `.${top}`}`;
};

/** One mask a type. A type that is not here shows nothing. */
export const MASKS: Readonly<Record<string, Mask>> = {
  email: { shows: 'the first character of a name of three or more, and the top-level domain', mask: email },
  phone: { shows: 'the last two digits of eight characters or more', mask: (value) => end(value, 2, LEAST_FOR_END) },
  account: { shows: 'the last two of eight characters or more', mask: (value) => end(value, 2, LEAST_FOR_END) },
  loyalty: { shows: 'the last two of eight characters or more', mask: (value) => end(value, 2, LEAST_FOR_END) },
  card: { shows: 'the last four of twelve characters or more', mask: (value) => end(value, 4, LEAST_FOR_CARD_END) },
  handle: { shows: 'the first of three characters or more', mask: start },
  social: { shows: 'the network', mask: issuer },
  profile: { shows: 'the system that keeps the record', mask: issuer },
  cookie: NOTHING,
  postal: NOTHING,
};

/** A normalised identifier for the eyes of who may not see it: recognisable to who knows it, of no use to who does not. */
export const maskIdentifier = (type: string, value: string): string =>
  (Object.hasOwn(MASKS, type) ? MASKS[type]! : NOTHING).mask(value);
