import type { ConsentEvent, ProfileImported } from '#libs/domain';
import { instantMs } from '#libs/kernel';
import type { FoldContext } from '../projector/fold-context.js';

/** One row a statement, for ever; what was erased has none. */
export const foldStatement = async (context: FoldContext, event: ConsentEvent, position: number): Promise<void> => {
  const { data } = event;
  const identity = data.erased ? undefined : await context.findIdentity(data.identity);
  if (!identity || identity.erased !== null) return;
  const { session, statements } = context;
  const said = {
    identity: identity.key,
    position,
    at: instantMs(data.statedAt),
    until: data.until === undefined ? null : instantMs(data.until),
    evidence: data.evidence ?? null,
    by: data.by,
  };
  if (event.type === 'ConsentRecorded') {
    const { purpose, channel = '', granted } = event.data;
    await session.insert(statements.addConsents, [{ ...said, purpose, channel, granted: granted ? 1 : 0 }]);
  } else {
    const { purpose = '', channel, withdrawn } = event.data;
    await session.insert(statements.addPreferences, [{ ...said, purpose, channel: withdrawn ? null : channel }]);
  }
};

/** What an imported record says of consents, as if it was said when the record was imported. */
export const foldProfileConsents = async (
  { session, statements }: FoldContext,
  identity: number,
  { consents = {} }: ProfileImported['data'],
  position: number,
  recordedAtMs: number,
): Promise<void> =>
  session.insert(
    statements.addConsents,
    Object.entries(consents).map(([purpose, granted]) => ({
      identity,
      position,
      purpose,
      channel: '',
      granted: granted ? 1 : 0,
      at: recordedAtMs,
      until: null,
      evidence: null,
      by: null,
    })),
  );
