import {
  upcast,
  type AgentWorkEvent,
  type ConsentEvent,
  type ContactSummary,
  type IdentitiesLinked,
  type IdentityErasDecided,
  type IdentityErased,
  type LinkConfirmed,
  type LinkProposed,
  type LinkRejected,
  type LinkRetracted,
  type PersonalDataRevealed,
  type ProfileImported,
  type SenderAliasSeen,
  type TimelineViewed,
} from '#libs/domain';
import type { StoredEvent, StreamId } from '#libs/event-store';
import type { Uuid } from '#libs/kernel';
import { foldAccess } from '../access-log/access-log.projection.js';
import { foldCommitment, foldCommitmentEnd, foldNote } from '../agent-work/agent-work.projection.js';
import { foldStatement } from '../consents/consents.projection.js';
import { foldLinked, foldProfile, foldUnlinked } from '../customers/customers.projection.js';
import { foldEras } from '../eras/eras.projection.js';
import { foldErased } from '../erasure/erasure.projection.js';
import { foldCorrected, foldRecorded } from '../timeline/timeline.projection.js';
import type { FoldContext } from './fold-context.js';

/** Where what a stream is about was first recorded; asked for what changes it only. */
export type FindRecorded = (stream: StreamId) => Promise<number | undefined>;

type FoldedEvent =
  | { type: 'InteractionRecorded' | 'InteractionCorrected'; data: ContactSummary }
  | SenderAliasSeen
  | ProfileImported
  | IdentitiesLinked
  | LinkProposed
  | LinkConfirmed
  | LinkRejected
  | LinkRetracted
  | TimelineViewed
  | PersonalDataRevealed
  | AgentWorkEvent
  | ConsentEvent
  | IdentityErasDecided
  | IdentityErased;

const idOf = (stream: StreamId): Uuid => stream.slice(stream.indexOf('-') + 1);

/** Folds one stored event into the rows of its slices; events of other slices leave them as they are. */
export const fold = (context: FoldContext, stored: StoredEvent, findRecorded: FindRecorded): void | Promise<void> => {
  const event = upcast(stored) as FoldedEvent;
  const { tenant, position } = stored;
  switch (event.type) {
    case 'InteractionRecorded':
      return foldRecorded(context, tenant, idOf(stored.stream), event.data, position, stored.recordedAtMs);
    case 'InteractionCorrected':
      return findRecorded(stored.stream).then((recorded) => {
        if (recorded === undefined) throw new Error(`the correction at position ${position} corrects nothing`);
        return foldCorrected(context, tenant, idOf(stored.stream), event.data, position, recorded);
      });
    case 'SenderAliasSeen':
      return context.meet(tenant, event.data, position).then(() => undefined);
    case 'ProfileImported':
      return foldProfile(context, tenant, event, position, stored.recordedAtMs);
    case 'IdentitiesLinked':
    case 'LinkProposed':
    case 'LinkConfirmed':
      return foldLinked(context, tenant, event, position);
    case 'LinkRejected':
    case 'LinkRetracted':
      return foldUnlinked(context, event, position);
    case 'TimelineViewed':
    case 'PersonalDataRevealed':
      return foldAccess(context, event, position);
    case 'NoteAdded':
      return foldNote(context, event, stored);
    case 'CommitmentMade':
      return foldCommitment(context, event, stored);
    case 'CommitmentKept':
    case 'CommitmentWithdrawn':
      return findRecorded(stored.stream).then((made) => {
        if (made === undefined) throw new Error(`the commitment that ends at position ${position} was never made`);
        return foldCommitmentEnd(context, event, position, made);
      });
    case 'ConsentRecorded':
    case 'PreferenceStated':
      return foldStatement(context, event, position);
    case 'IdentityErasDecided':
      return foldEras(context, event, position);
    case 'IdentityErased':
      return foldErased(context, event, position);
  }
};
