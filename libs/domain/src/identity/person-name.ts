/** One written name, as words that can be compared one by one. Words may be keyed hashes: only equality is asked. */
export interface NameKey {
  /** Given names written out. */
  given: readonly string[];
  /** First letters of every given name, written out or not. */
  initials: readonly string[];
  /** Family name without spaces; absent where only one word was written. */
  family?: string;
}

const TITLES = new Set(['mr', 'mrs', 'ms', 'miss', 'mx', 'dr', 'prof', 'sir', 'madam']);
const SUFFIXES = new Set(['jr', 'sr', 'ii', 'iii', 'iv', 'phd', 'md', 'esq']);

/**
 * Splits a name into words for comparison: 'Chavez, Blake', 'BLAKE CHAVEZ' and 'Blake J. Chavez' agree. Returns undefined
 * for a text without letters. Words come back in lower case without accents, each through `digest`.
 *
 * @param digest turns a word into what may be stored, such as a keyed hash; must be deterministic.
 */
export function nameKey(written: string, digest: (word: string) => string = (word) => word): NameKey | undefined {
  const plain = written
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase();
  const [before = '', after] = plain.split(',', 2);
  const reversed = after !== undefined && wordsOf(after).length > 0;
  const words = reversed ? [...wordsOf(after), ...wordsOf(before)] : wordsOf(before);
  if (words.length === 0) return undefined;
  const familyWords = reversed ? wordsOf(before) : words.length > 1 ? words.slice(-1) : [];
  const givenWords = words.slice(0, words.length - familyWords.length);
  return {
    given: unique(givenWords.filter((word) => word.length > 1).map(digest)),
    initials: unique(givenWords.map((word) => digest(initialOf(word)))),
    ...(familyWords.length > 0 && { family: digest(familyWords.join('')) }),
  };
}

/** The key of a name whose parts are known, as a profile gives it. */
export function nameKeyOfParts(
  givenName: string | undefined,
  familyName: string | undefined,
  digest?: (word: string) => string,
): NameKey | undefined {
  if (!familyName?.trim()) return nameKey(givenName ?? '', digest);
  return nameKey(`${familyName.replaceAll(',', ' ')}, ${(givenName ?? '').replaceAll(',', ' ')}`, digest);
}

/**
 * True where two names evidently belong to two people: their given names have nothing in common. Another family name
 * alone is no proof, since people marry; a missing given name leaves only the family names to compare.
 */
export function areDifferentPeople(one: NameKey, other: NameKey): boolean {
  if (one.initials.length === 0 || other.initials.length === 0) {
    return one.family !== undefined && other.family !== undefined && one.family !== other.family;
  }
  if (one.given.length === 0 || other.given.length === 0) return !share(one.initials, other.initials);
  // 'Chavez Blake' without a comma puts the family name first
  const swapped = contains(one.given, other.family) && contains(other.given, one.family);
  return !swapped && !share(one.given, other.given);
}

/** Given and family name as one text, for each given name written out: what two people of one full name have in common. */
export function fullNamesOf(names: readonly NameKey[]): string[] {
  const full = new Set<string>();
  for (const { given, family } of names) {
    if (family !== undefined) for (const name of given) full.add(`${name} ${family}`);
  }
  return [...full];
}

/** A text that is equal for equal keys, for sets and tables. */
export function nameKeyText(key: NameKey): string {
  return `${key.given.toSorted().join('+')}|${key.initials.toSorted().join('+')}|${key.family ?? ''}`;
}

function wordsOf(text: string): string[] {
  const words = text.replace(/['’]/g, '').match(/\p{L}+/gu) ?? [];
  const kept = words.filter((word) => !TITLES.has(word) && !SUFFIXES.has(word));
  return kept.length > 0 ? kept : words;
}

const initialOf = (word: string): string => String.fromCodePoint(word.codePointAt(0) ?? 0);
const unique = (words: string[]): string[] => [...new Set(words)].toSorted();
const share = (some: readonly string[], others: readonly string[]): boolean =>
  some.some((word) => others.includes(word));
const contains = (words: readonly string[], word: string | undefined): boolean =>
  word !== undefined && words.includes(word);
