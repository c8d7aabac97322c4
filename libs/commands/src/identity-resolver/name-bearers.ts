import { bornNames, type IdentityFacts, type IdentityRules } from '#libs/domain';
import { LruMap, uuidOfBytes, type Uuid } from '#libs/kernel';
import type { StateStatements } from './identity.tables.js';

const REMEMBERED_NAMES = 10_000;

/** Which identities bear which full name: what `identity.db` knows of namesakes. */
export class NameBearers {
  /** How many identities bear a name, as far as anyone asked. */
  private readonly counts = new LruMap<string, number>(REMEMBERED_NAMES);

  constructor(
    private readonly sql: StateStatements,
    private readonly rules: IdentityRules,
  ) {}

  count(name: string): number {
    const known = this.counts.get(name);
    if (known !== undefined) return known;
    const count = this.sql.bearerCount.first<{ count: number }>([name])?.count ?? 0;
    this.counts.set(name, count);
    return count;
  }

  of(name: string): Uuid[] {
    return this.sql.bearers.all<{ id: Uint8Array }>([name]).map(({ id }) => uuidOfBytes(id));
  }

  /** Keeps which names the identity with this key bears: none any more once it has too many of them. */
  keep(key: number, before: IdentityFacts | undefined, facts: IdentityFacts): void {
    if (this.rules.sameName.identities === 0 || before?.names === facts.names) return;
    const old = new Set(before && bornNames(before, this.rules));
    const born = new Set(bornNames(facts, this.rules));
    for (const name of old) if (!born.has(name)) this.rename(name, -1, () => this.sql.removeBearer.run([name, key]));
    for (const name of born) if (!old.has(name)) this.rename(name, 1, () => this.sql.addBearer.run([name, key]));
  }

  /** Forgets what it remembers of the file. */
  clear(): void {
    this.counts.clear();
  }

  private rename(name: string, by: number, write: () => void): void {
    const count = this.count(name);
    write();
    this.counts.set(name, count + by);
  }
}
