import type { CommitmentKept, CommitmentMade, CommitmentWithdrawn, NoteAdded } from '#libs/domain';
import { bytesOfUuid, instantMs, type Uuid } from '#libs/kernel';
import type { FoldContext } from '../projector/fold-context.js';
import type { IdentityRow } from '../projector/statements.js';
import type { CommitmentStatus, EntryTable } from '../read-model/read-model.schema.js';
import { DIRECTION_CODES, KIND_CODES } from '../timeline/codes.js';
import { previewOf } from '../timeline/timeline.projection.js';

/** Where in the log something was written down. */
interface Place {
  tenant: string;
  position: number;
  recordedAtMs: number;
}

export const foldNote = async (context: FoldContext, { data }: NoteAdded, place: Place): Promise<void> => {
  const anchor = await context.findIdentity(data.anchor);
  if (anchor && anchor.erased === null)
    await addEntry(context, { id: data.note, kind: 'note', data, anchor, outcome: null }, place);
};

/** A promise is an entry of the timeline and a row of its own: its whole text, and what has become of it. */
export const foldCommitment = async (context: FoldContext, { data }: CommitmentMade, place: Place): Promise<void> => {
  const anchor = await context.findIdentity(data.anchor);
  if (!anchor || anchor.erased !== null) return;
  const { commitment: id, text, dueAt, at, by } = data;
  const status: CommitmentStatus = 'open';
  const entry = await addEntry(context, { id, kind: 'commitment', data, anchor, outcome: status }, place);
  const { session, statements } = context;
  await session.insert(statements.addCommitments, [
    {
      position: place.position,
      id: entry.id,
      identity: anchor.key,
      conversation: entry.conversation,
      text,
      dueAt: dueAt === undefined ? null : instantMs(dueAt),
      madeAt: instantMs(at),
      agent: by.agent,
      status,
      endedPosition: null,
    },
  ]);
};

/** @param made where the commitment was recorded */
export const foldCommitmentEnd = async (
  context: FoldContext,
  event: CommitmentKept | CommitmentWithdrawn,
  position: number,
  made: number,
): Promise<void> => {
  const status: CommitmentStatus = event.type === 'CommitmentKept' ? 'kept' : 'withdrawn';
  const { session, statements } = context;
  await context.flush();
  await session.run(statements.keepEntry, { position: made, corrected: position });
  await session.run(statements.setOutcome, { position: made, outcome: status });
  await session.run(statements.endCommitment, { position: made, status, endedPosition: position });
};

interface Written {
  id: Uuid;
  kind: 'note' | 'commitment';
  data: NoteAdded['data'] | CommitmentMade['data'];
  anchor: IdentityRow;
  outcome: string | null;
}

const addEntry = async (
  context: FoldContext,
  { id, kind, data, anchor, outcome }: Written,
  { tenant, position, recordedAtMs }: Place,
): Promise<EntryTable> => {
  const entry: EntryTable = {
    position,
    id: bytesOfUuid(id),
    identity: anchor.key,
    conversation: await context.conversation(data.conversation, await context.tenant(tenant)),
    channel: await context.label(data.channel),
    account: await context.label(data.account),
    kind: KIND_CODES.indexOf(kind),
    direction: DIRECTION_CODES.indexOf('internal'),
    occurredAt: instantMs(data.at),
    recordedAt: recordedAtMs,
    late: 0,
    revision: 1,
    subject: null,
    preview: previewOf(data.text),
    agent: data.by.agent,
    outcome,
  };
  context.addEntry(entry, context.customerOf(anchor));
  return entry;
};
