import type { IdentityErased } from '#libs/domain';
import { bytesOfUuid } from '#libs/kernel';
import { part } from '../customers/customers.projection.js';
import { reuniteErased } from '../eras/eras.projection.js';
import type { FoldContext } from '../projector/fold-context.js';
import { forgetContacts } from './forget-contacts.js';

/**
 * Takes everything that was known of an identity out of the rows; its own row stays, empty, and says by which erasure.
 * It is nobody's from here on: its links go, and whoever was joined by way of it is joined no more.
 *
 * Rows must come out as those of a rebuild, whose contacts of this identity read as erased from the beginning.
 */
export const foldErased = async (context: FoldContext, { data }: IdentityErased, position: number): Promise<void> => {
  const row = await context.findIdentity(data.identity);
  if (!row || row.erased !== null) return;
  await context.flush();
  if (row.whole === null) await reuniteErased(context, data.identity, row, position);
  await forgetContacts(context, row);
  const { session } = context;
  const { erasure: statements } = context.statements;
  const identity = row.key;
  await session.run(statements.forgetCommitments, { identity });
  await session.run(statements.forgetConsents, { identity });
  await session.run(statements.forgetPreferences, { identity });
  await session.run(statements.forgetProfile, { identity });
  await session.run(statements.forgetFormerProfiles, { identity });
  await session.run(statements.forgetFormerSelf, { identity });
  for (const { key, status, a, b } of await session.all(statements.linksOf, { identity })) {
    await session.run(statements.eraseLink, { key, position });
    await session.run(statements.forgetFormerLink, { key });
    if (status === 'active') await part(context, identity, a === identity ? b : a);
  }
  await session.run(statements.eraseIdentity, { identity, position, erasure: bytesOfUuid(data.erasure) });
  context.erased(data.identity, position);
};
