import type { Days } from './identity.eras.js';
import type { IdentityFacts } from './identity.facts.js';

/** How two identities came to be seen together. */
export type EvidenceKind = 'profile-import' | 'identify' | 'same-mailbox' | 'same-interaction';

/** That two identities of one tenant were seen together. The order of the two means nothing. */
export interface Evidence {
  a: string;
  b: string;
  kind: EvidenceKind;
  /** When, of whatever kind; asked only where an end has a time window. Absent where nobody said when. */
  days?: Days;
}

/**
 * What an agent said about two identities. `together` links them whatever the rules say; `apart` keeps the rules from
 * linking or proposing these two. It decides its own pair and nothing else: the rules make of every other pair what they
 * would make of it without the ruling, so that what a ruling does can be seen before, and undone. A withdrawn ruling is
 * no ruling.
 */
export interface Ruling {
  a: string;
  b: string;
  verdict: 'together' | 'apart';
}

/** Two identities; the order of the two means nothing unless it is said. */
export interface LinkedPair {
  a: string;
  b: string;
}

/** What `gather` reads of one tenant. Every answer includes the event that is being resolved. */
export interface EvidenceReader {
  facts(id: string): IdentityFacts | undefined;
  /** Number of distinct identities with evidence beside this one; asked before `evidenceOf`, which a hub spares. */
  neighbourCount(id: string): number;
  evidenceOf(id: string): Iterable<Evidence>;
  rulingsOf(id: string): Iterable<Ruling>;
  /** The other ends of the links that are active and the proposals that are open now, whoever made them, agents too. */
  settledWith(id: string): Iterable<string>;
  /** Number of linkable identities seen under this full name; asked before `bearersOf`, which a common name spares. */
  bearerCount(name: string): number;
  bearersOf(name: string): Iterable<string>;
  /** The identity of which this one is a former era; undefined for any other. */
  wholeOf(id: string): string | undefined;
  /** Every former era that was ever told apart of an identity. */
  formersOf(id: string): Iterable<string>;
  /** Id of the former era of this number, the oldest 0, whether it was ever told apart or not. */
  formerOf(id: string, number: number): string;
}

export const otherEnd = ({ a, b }: LinkedPair, id: string): string => (a === id ? b : a);
export const ordered = (a: string, b: string): LinkedPair => (a < b ? { a, b } : { a: b, b: a });
export const pairKey = (a: string, b: string): string => (a < b ? `${a} ${b}` : `${b} ${a}`);

export function byPair(one: LinkedPair, other: LinkedPair): number {
  if (one.a !== other.a) return one.a < other.a ? -1 : 1;
  if (one.b === other.b) return 0;
  return one.b < other.b ? -1 : 1;
}
