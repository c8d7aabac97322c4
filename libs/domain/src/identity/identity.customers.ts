import { pairKey } from './identity.evidence.js';
import { areUnrelatedAccounts, compare, type IdentityFacts } from './identity.facts.js';
import type { Neighbourhood } from './identity.gathering.js';
import type { IdentityRules } from './identity.rules.js';

/** Why two customers may not become one without an agent. */
export type Conflict = 'conflicting-accounts' | 'conflicting-profiles';

/** Components that grow while links are made, each with the people that claim it. */
export class Customers {
  private readonly parents = new Map<string, string>();
  private readonly holders = new Map<string, IdentityFacts[]>();

  constructor(
    private readonly neighbourhood: Neighbourhood,
    private readonly rules: IdentityRules,
  ) {}

  join(a: string, b: string): void {
    const one = this.rootOf(a);
    const other = this.rootOf(b);
    if (one === other) return;
    const ones = this.holdersOf(one);
    const others = this.holdersOf(other);
    const [root, child] = ones.length >= others.length ? [one, other] : [other, one];
    this.parents.set(child, root);
    this.holders.set(root, root === one ? [...ones, ...others] : [...others, ...ones]);
    this.holders.delete(child);
  }

  conflict(a: string, b: string): Conflict | undefined {
    const one = this.rootOf(a);
    const other = this.rootOf(b);
    if (one === other) return undefined;
    let reason: Conflict | undefined;
    for (const mine of this.holdersOf(one)) {
      for (const theirs of this.holdersOf(other)) {
        const different = compare(mine, theirs, this.rules) === 'different';
        if (!different && !areUnrelatedAccounts(mine, theirs, this.rules)) continue;
        if (mine.type !== 'profile' && theirs.type !== 'profile') return 'conflicting-accounts';
        reason = 'conflicting-profiles';
      }
    }
    return reason;
  }

  areOne(a: string, b: string): boolean {
    return this.rootOf(a) === this.rootOf(b);
  }

  /** A text for the two customers that these belong to. */
  pairOf(a: string, b: string): string {
    return pairKey(this.rootOf(a), this.rootOf(b));
  }

  private rootOf(id: string): string {
    let root = id;
    for (let parent = this.parents.get(root); parent !== undefined; parent = this.parents.get(root)) root = parent;
    for (let step = id; step !== root;) {
      const next = this.parents.get(step) ?? root;
      this.parents.set(step, root);
      step = next;
    }
    return root;
  }

  private holdersOf(root: string): readonly IdentityFacts[] {
    const known = this.holders.get(root);
    if (known !== undefined) return known;
    const facts = this.neighbourhood.identities.get(root)?.facts;
    const holds = facts !== undefined && facts.linkable && this.rules.holderTypes.has(facts.type);
    return holds && (facts.verified || facts.type === 'profile') ? [facts] : [];
  }
}
