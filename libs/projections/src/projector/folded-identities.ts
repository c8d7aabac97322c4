import { LruMap, bytesOfUuid, uuidOfBytes, type Uuid } from '#libs/kernel';
import type { CarriedIdentity } from '#libs/domain';
import type { FoldSession } from './fold-session.js';
import type { IdentityRow } from './statements.js';

/** Bounds of what a projector remembers between events; beyond them it asks the read model. */
const CACHED_IDENTITIES = 30_000;
const CACHED_MENTIONS = 20_000;

/** An identity as folds know it. */
export interface FoldedIdentity extends IdentityRow {
  /** The times in which it was somebody else's, the oldest first; absent where there are none. */
  former?: readonly FoldedEra[];
}

export interface FoldedEra {
  id: Uuid;
  /** Epoch milliseconds, exclusive. */
  until: number;
}

/** What an identity is called, and since when in epoch milliseconds. */
export interface Naming {
  name: string | null;
  nameAt: number | null;
}

const NAMELESS: Naming = { name: null, nameAt: null };

/** Identities, who was seen beside whom, and whose they are. */
export class FoldedIdentities {
  private readonly identities = new LruMap<Uuid, FoldedIdentity>(CACHED_IDENTITIES);
  private readonly mentions = new LruMap<string, true>(CACHED_MENTIONS);
  // Those that this batch names and that had no row when it began: nobody need ask for them again.
  private readonly absent = new Set<Uuid>();
  // Customers that this batch has joined to another, while what that has moved is not known yet.
  private readonly joined = new Map<number, number>();
  private joining: Promise<void>[] = [];
  private readonly statements = this.session.statements;

  constructor(private readonly session: FoldSession) {}

  begin(): void {
    this.absent.clear();
  }

  /** An identity that is in memory. */
  known(id: Uuid): FoldedIdentity | undefined {
    return this.identities.get(id);
  }

  async find(id: Uuid): Promise<FoldedIdentity | undefined> {
    const known = this.identities.get(id);
    if (known) return known;
    if (this.absent.has(id)) return undefined;
    const bytes = bytesOfUuid(id);
    if (!this.session.mayHaveRow(bytes)) return undefined;
    const found = (await this.session.rows.all(this.statements.findIdentity, { id: bytes }))[0];
    if (!found) return undefined;
    const row: FoldedIdentity = found;
    if (isDivided(row)) row.former = await this.formerOf(row);
    this.identities.set(id, row);
    return row;
  }

  private async formerOf({ key }: IdentityRow): Promise<FoldedEra[]> {
    const rows = await this.session.rows.all(this.statements.eras.of, { whole: key });
    const held = rows.filter((row): row is typeof row & { heldUntil: number } => row.heldUntil !== null);
    return held.map(({ id, heldUntil }) => ({ id: uuidOfBytes(id), until: heldUntil }));
  }

  /** Asks for those of these identities that are not in memory. */
  async prefetch(ids: Iterable<Uuid>): Promise<void> {
    const absent = new Set([...ids].filter((id) => !this.identities.get(id)));
    const { findIdentities } = this.statements;
    for (const { id: bytes, ...row } of await this.session.findAll(findIdentities, [...absent].map(bytesOfUuid))) {
      const id = uuidOfBytes(bytes);
      absent.delete(id);
      // Its eras are asked for where it is met.
      if (!isDivided(row)) this.identities.set(id, row);
    }
    for (const id of absent) this.absent.add(id);
  }

  /**
   * The row of an identity, made when it is seen for the first time.
   * @param told whether the event says its value; one that is erased does not, and a later one may
   * @param naming what it is called where it is new
   */
  async meet(
    carried: CarriedIdentity,
    tenant: number,
    position: number,
    told: boolean,
    naming = NAMELESS,
  ): Promise<FoldedIdentity> {
    const found = await this.find(carried.identity);
    if (found) {
      if (found.erased !== null) return found;
      if (carried.verified) await this.verify(found, position);
      if (told && found.told === 0) {
        const teller = { key: found.key, value: carried.value };
        await this.session.rows.run(this.statements.tellIdentity, teller);
        await this.session.rows.run(this.statements.tellEras, teller);
        found.told = 1;
      }
      return found;
    }
    const key = this.session.next('identity');
    const verified = carried.verified ? 1 : 0;
    const row: FoldedIdentity = {
      key,
      customer: key,
      firstPosition: position,
      verified,
      nameAt: naming.nameAt,
      erased: null,
      told: told ? 1 : 0,
      whole: null,
      heldFrom: null,
    };
    const id = bytesOfUuid(carried.identity);
    this.session.getsRow(id);
    this.absent.delete(carried.identity);
    await this.session.rows.run(this.statements.addIdentity, {
      key,
      id,
      tenant,
      type: carried.type,
      value: told ? carried.value : '',
      verified,
      firstPosition: position,
      customer: key,
      ...naming,
    });
    this.identities.set(carried.identity, row);
    return row;
  }

  /** The row of a former era of an identity, made when it is told of for the first time. */
  async era(id: Uuid, whole: FoldedIdentity, position: number): Promise<FoldedIdentity> {
    const found = await this.find(id);
    if (found) return found;
    const key = this.session.next('identity');
    const bytes = bytesOfUuid(id);
    this.session.getsRow(bytes);
    this.absent.delete(id);
    await this.session.rows.run(this.statements.eras.add, { key, id: bytes, whole: whole.key, position });
    return (await this.find(id))!;
  }

  /** Whose a contact of an identity is: the era of it that an instant lies in, or the identity itself. */
  async holderAt(identity: FoldedIdentity, atMs: number): Promise<FoldedIdentity> {
    const era = identity.former?.find(({ until }) => atMs < until);
    return era ? (await this.find(era.id))! : identity;
  }

  private async verify(row: IdentityRow, position: number): Promise<void> {
    if (row.verified === 1) return;
    await this.keep(row, position);
    await this.session.rows.run(this.statements.verifyIdentity, { key: row.key, verified: 1 });
    row.verified = 1;
  }

  /** Gives an identity the name that counts from this event on, or takes it away. */
  async name(row: IdentityRow, name: string | null, nameAt: number | null, position: number): Promise<void> {
    await this.keep(row, position);
    await this.session.rows.run(this.statements.nameIdentity, { key: row.key, name, nameAt });
    row.nameAt = nameAt;
  }

  /** Before an identity changes: what it said until now. Nothing of it was said before the event that brought it. */
  async keep({ key, firstPosition }: IdentityRow, position: number): Promise<void> {
    if (firstPosition < position) await this.session.rows.run(this.statements.keepIdentity, { key, position });
  }

  /** Whether it is in memory that one identity was seen beside another. */
  isMentioned(identity: IdentityRow, anchor: IdentityRow): boolean {
    return this.mentions.get(pairOf(identity.key, anchor.key)) === true;
  }

  async mention({ key: identity, erased }: IdentityRow, anchor: IdentityRow, position: number): Promise<void> {
    if (erased !== null || anchor.erased !== null) return;
    const pair = pairOf(identity, anchor.key);
    if (this.mentions.get(pair)) return;
    await this.session.rows.run(this.statements.addMention, { identity, anchor: anchor.key, position });
    this.mentions.set(pair, true);
  }

  /** Whose an identity is. */
  customerOf({ customer }: IdentityRow): number {
    let last = customer;
    for (let next = this.joined.get(last); next !== undefined; next = this.joined.get(last)) last = next;
    return last;
  }

  /** Makes two customers one. What that moves is not waited for: `settle` does. */
  async join(from: number, to: number): Promise<void> {
    const { statements } = this;
    const { rows } = this.session;
    const moving = rows.all(statements.joinCustomer, { from, to });
    await rows.run(statements.joinTimeline, { from, to });
    const take = (moved: { id: Buffer }[]): void =>
      this.moved(
        moved.map(({ id }) => uuidOfBytes(id)),
        to,
      );
    if (Array.isArray(moving)) return take(moving);
    this.joined.set(from, to);
    const joining = moving.then(take);
    // Heard of by `settle`.
    joining.catch(() => undefined);
    this.joining.push(joining);
  }

  /** Resolves when it is known whose everybody is: needed before customers are parted, and at the end of a batch. */
  async settle(): Promise<void> {
    await Promise.all(this.joining);
    this.joining = [];
    this.joined.clear();
  }

  /** Tells the cache that these identities belong to another customer now. */
  moved(ids: readonly Uuid[], customer: number): void {
    for (const id of ids) {
      const row = this.identities.get(id);
      if (row) row.customer = customer;
    }
  }

  /** Tells the cache that nothing says the value and name of an identity any more. */
  untold(id: Uuid): void {
    const row = this.identities.get(id);
    if (row) Object.assign(row, { told: 0, nameAt: null });
  }

  /** Tells the caches that an identity was erased. */
  erased(id: Uuid, position: number): void {
    const row = this.identities.get(id);
    if (row) Object.assign(row, { erased: position, told: 0, verified: 0, nameAt: null });
    delete row?.former;
    this.mentions.clear();
  }

  reset(): void {
    this.identities.clear();
    this.mentions.clear();
    this.joined.clear();
    this.joining = [];
  }
}

/** Whether some of its contacts may be a former era's. */
const isDivided = ({ heldFrom, whole }: IdentityRow): boolean => heldFrom !== null && whole === null;

const pairOf = (identity: number, anchor: number): string => `${identity}/${anchor}`;
