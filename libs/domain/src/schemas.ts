import { HubError } from '#libs/kernel';
import { revealedPrivacy, viewedPrivacy } from './access/access.events.js';
import { commitmentEndPrivacy, commitmentPrivacy, notePrivacy } from './agent-work/agent-work.events.js';
import { consentPrivacy, preferencePrivacy } from './consent/consent.events.js';
import type { DomainEvent } from './decider.js';
import { erasureCompletedPrivacy, erasureRequestedPrivacy, identityErasedPrivacy } from './erasure/erasure.events.js';
import {
  decidedPrivacy,
  erasPrivacy,
  linkedPrivacy,
  profilePrivacy,
  proposedPrivacy,
  retractedPrivacy,
} from './identity/identity.events.js';
import { aliasPrivacy, interactionPrivacy } from './interaction/interaction.events.js';
import type { EventPrivacy } from './personal.js';

/** Newest shape of every event type ever stored. A changed shape raises its number, adds an upcaster and a golden file. */
export const SCHEMAS: Readonly<Record<string, number>> = {
  InteractionRecorded: 2,
  InteractionCorrected: 2,
  SenderAliasSeen: 1,
  ProfileImported: 2,
  IdentitiesLinked: 2,
  LinkProposed: 2,
  LinkConfirmed: 2,
  LinkRejected: 2,
  LinkRetracted: 2,
  IdentityErasDecided: 1,
  TimelineViewed: 1,
  PersonalDataRevealed: 1,
  NoteAdded: 1,
  CommitmentMade: 1,
  CommitmentKept: 1,
  CommitmentWithdrawn: 1,
  ConsentRecorded: 1,
  PreferenceStated: 1,
  ErasureRequested: 1,
  IdentityErased: 1,
  ErasureCompleted: 1,
};

/** What of each event type is personal: declared beside the type, and here for every type that is stored. */
export const PRIVACY: Readonly<Record<string, EventPrivacy>> = {
  InteractionRecorded: interactionPrivacy,
  InteractionCorrected: interactionPrivacy,
  SenderAliasSeen: aliasPrivacy,
  ProfileImported: profilePrivacy,
  IdentitiesLinked: linkedPrivacy,
  LinkProposed: proposedPrivacy,
  LinkConfirmed: decidedPrivacy,
  LinkRejected: decidedPrivacy,
  LinkRetracted: retractedPrivacy,
  IdentityErasDecided: erasPrivacy,
  TimelineViewed: viewedPrivacy,
  PersonalDataRevealed: revealedPrivacy,
  NoteAdded: notePrivacy,
  CommitmentMade: commitmentPrivacy,
  CommitmentKept: commitmentEndPrivacy,
  CommitmentWithdrawn: commitmentEndPrivacy,
  ConsentRecorded: consentPrivacy,
  PreferenceStated: preferencePrivacy,
  ErasureRequested: erasureRequestedPrivacy,
  IdentityErased: identityErasedPrivacy,
  ErasureCompleted: erasureCompletedPrivacy,
};

/** Turns the data of one shape into that of the next; pure, total, without clock or network. */
type Upcaster = (data: object) => object;

/** `UPCASTERS[type][n - 1]` turns shape n into shape n + 1. */
const UPCASTERS: Readonly<Record<string, readonly Upcaster[]>> = {
  // Where shape 2 is shape 1, sealed, nothing is to be done: opened, they are alike.
  LinkProposed: [(data) => ({ ...data, evidence: 'unknown' })],
};

/**
 * A stored event in today's shape.
 * @throws HubError `EVENT.UNKNOWN_SCHEMA` for a shape newer than this release, which must not be guessed at.
 */
export const upcast = (stored: { type: string; schema: number; data: object }): DomainEvent => {
  const newest = SCHEMAS[stored.type];
  if (newest === undefined || stored.schema === newest) return stored;
  if (stored.schema > newest)
    throw new HubError(
      'EVENT.UNKNOWN_SCHEMA',
      `${stored.type} has schema ${stored.schema}, this release knows up to ${newest}; upgrade it`,
    );
  const steps = (UPCASTERS[stored.type] ?? []).slice(stored.schema - 1);
  return { type: stored.type, data: steps.reduce((data, step) => step(data), stored.data) };
};
