import type { AccessEvent } from '#libs/domain';
import { bytesOfUuid, instantMs } from '#libs/kernel';
import type { FoldContext } from '../projector/fold-context.js';

/** One row an event, under the identity by which the customer was opened; a customer nobody knows any more has none. */
export const foldAccess = async (context: FoldContext, event: AccessEvent, position: number): Promise<void> => {
  const { data } = event;
  const identity = await context.findIdentity(data.customer);
  if (!identity) return;
  const shared = { position, identity: identity.key, by: data.by, at: instantMs(data.at), reason: data.reason ?? null };
  const { session, statements } = context;
  await session.insert(statements.addAccess, [
    event.type === 'TimelineViewed'
      ? { ...shared, saw: event.data.saw.join(' '), reads: event.data.reads, field: null, revealed: null }
      : {
          ...shared,
          saw: null,
          reads: 1,
          field: event.data.field,
          revealed: event.data.identity === undefined ? null : bytesOfUuid(event.data.identity),
        },
  ]);
};
