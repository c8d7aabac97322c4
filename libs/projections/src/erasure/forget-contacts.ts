import type { FoldContext } from '../projector/fold-context.js';
import type { IdentityRow } from '../projector/statements.js';

/** Its contacts, with what agents wrote down at them, and whom it was seen with. A bulk write does it for all at its end (`finishBulk`). */
export const forgetContacts = async (context: FoldContext, row: IdentityRow): Promise<void> => {
  if (context.bulk) return;
  const { session } = context;
  const { erasure: statements } = context.statements;
  const [identity, customer] = [row.key, context.customerOf(row)];
  await session.run(statements.countContacts, { customer, identity });
  await session.run(statements.forgetFormer, { customer, identity });
  await session.run(statements.forgetEntries, { customer, identity });
  await session.run(statements.forgetTimeline, { customer, identity });
  await session.run(statements.blankFormer, { identity });
  await session.run(statements.forgetMentions, { identity });
};
