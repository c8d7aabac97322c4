import type { IdentityErasDecided } from '#libs/domain';
import { instantMs, uuidOfBytes, type Uuid } from '#libs/kernel';
import { forgetContacts } from '../erasure/forget-contacts.js';
import type { FoldContext, FoldedEra, FoldedIdentity } from '../projector/fold-context.js';
import type { EraEntry, EraRow } from './eras.statements.js';

/**
 * Divides what came from an identity alone among those who had it, by the time of each contact; or joins it again. What
 * an era loses or gains is kept as of then, like a correction.
 */
export const foldEras = async (
  context: FoldContext,
  { data }: IdentityErasDecided,
  position: number,
): Promise<void> => {
  const whole = await context.findIdentity(data.identity);
  if (!whole) throw new Error(`the event at position ${position} divides an identity that no earlier event carried`);
  // Links to them may follow, whatever has become of the identity meanwhile.
  for (const { identity } of data.former) await context.era(identity, whole, position);
  if (whole.erased !== null) return;
  const former = data.former.map(({ identity, until }) => ({
    id: identity,
    until: instantMs(`${until}T00:00:00.000Z`),
  }));
  await divide(context, data.identity, whole, former, position);
};

/** Before an identity is erased: everything that its key has sealed is its own again, and goes with it. */
export const reuniteErased = async (
  context: FoldContext,
  id: Uuid,
  whole: FoldedIdentity,
  position: number,
): Promise<void> => {
  const { session, statements } = context;
  const eras = await session.all(statements.eras.of, { whole: whole.key });
  if (eras.length === 0) return;
  await divide(context, id, whole, [], position);
  await session.run(statements.eras.forget, { whole: whole.key });
  await session.run(statements.eras.forgetFormer, { whole: whole.key });
  for (const era of eras) context.untold(uuidOfBytes(era.id));
};

const divide = async (
  context: FoldContext,
  id: Uuid,
  whole: FoldedIdentity,
  former: readonly FoldedEra[],
  position: number,
): Promise<void> => {
  const { session, statements } = context;
  await context.flush();
  const family = await session.all(statements.eras.family, { whole: whole.key });
  const rows = new Map(family.map((row) => [uuidOfBytes(row.id), row]));
  const holderAt = (atMs: number): EraRow => rows.get(former.find(({ until }) => atMs < until)?.id ?? id)!;

  await moveEntries(context, whole, family, holderAt, position);
  await hold(context, id, family, former, position);
  await moveNames(context, family, holderAt, position);
  if (former.length > 0) whole.former = former;
  else delete whole.former;
};

const moveEntries = async (
  context: FoldContext,
  { key: whole }: FoldedIdentity,
  family: readonly EraRow[],
  holderAt: (atMs: number) => EraRow,
  position: number,
): Promise<void> => {
  const { session, statements, bulk } = context;
  const { eras } = statements;
  if (bulk) {
    await session.run(eras.indexIdentities, {});
    await session.run(eras.indexConversations, {});
  }
  const moves: { entry: EraEntry; from: EraRow; to: EraRow }[] = [];
  for (const from of family) {
    if (from.erased !== null) continue;
    const { customer, key: identity } = from;
    const entries = bulk
      ? await session.all(eras.bulkEntries, { whole, identity })
      : await session.all(eras.entries, { whole, customer, identity });
    for (const entry of entries) {
      const to = holderAt(entry.at);
      if (to.key !== from.key) moves.push({ entry, from, to });
    }
  }
  for (const { entry, from, to } of moves) {
    await session.run(statements.keepEntry, { position: entry.position, corrected: position });
    await session.run(eras.moveEntry, { position: entry.position, to: to.key });
    await session.run(eras.moveCommitment, { position: entry.position, to: to.key });
    if (bulk) continue;
    const { customer } = from;
    await session.run(eras.moveTimeline, { ...entry, customer, to: to.key, toCustomer: to.customer });
    context.reattributed.push(entry.position);
  }
  for (const to of new Set(moves.map((move) => move.to)))
    if (to.erased !== null) await forgetContacts(context, (await context.findIdentity(uuidOfBytes(to.id)))!);
};

/** Says of each era from when to when it was. */
const hold = async (
  context: FoldContext,
  whole: Uuid,
  family: readonly EraRow[],
  former: readonly FoldedEra[],
  position: number,
): Promise<void> => {
  const { session, statements } = context;
  for (const row of family) {
    const id = uuidOfBytes(row.id);
    const place = id === whole ? former.length : former.findIndex((era) => era.id === id);
    const heldFrom = former[place - 1]?.until ?? null;
    const heldUntil = former[place]?.until ?? null;
    if (heldFrom === row.heldFrom && heldUntil === row.heldUntil) continue;
    const known = (await context.findIdentity(id))!;
    if (row.erased === null) await context.keep(known, position);
    await session.run(statements.eras.hold, { key: row.key, heldFrom, heldUntil });
    known.heldFrom = heldFrom;
  }
};

/** A name belongs to whoever had the identity when it came; of several the earliest stays. */
const moveNames = async (
  context: FoldContext,
  family: readonly EraRow[],
  holderAt: (atMs: number) => EraRow,
  position: number,
): Promise<void> => {
  const named = family.filter(({ name }) => name !== null).toSorted((one, other) => one.nameAt! - other.nameAt!);
  for (const row of family) {
    const first = named.find(({ nameAt }) => holderAt(nameAt!).key === row.key);
    if (row.erased !== null || (first?.nameAt ?? null) === row.nameAt) continue;
    const known = (await context.findIdentity(uuidOfBytes(row.id)))!;
    await context.name(known, first?.name ?? null, first?.nameAt ?? null, position);
  }
};
