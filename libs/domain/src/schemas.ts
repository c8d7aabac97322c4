import { HubError } from '#libs/kernel';
import type { DomainEvent } from './decider.js';

/** Newest shape of every event type ever stored. A changed shape raises its number, adds an upcaster and a golden file. */
export const SCHEMAS: Readonly<Record<string, number>> = {
  InteractionRecorded: 1,
  InteractionCorrected: 1,
  ProfileImported: 1,
  IdentitiesLinked: 1,
  LinkProposed: 2,
  LinkConfirmed: 1,
  LinkRejected: 1,
  LinkRetracted: 1,
  TimelineViewed: 1,
  PersonalDataRevealed: 1,
};

/** Turns the data of one shape into that of the next; pure, total, without clock or network. */
type Upcaster = (data: object) => object;

/** `UPCASTERS[type][n - 1]` turns shape n into shape n + 1. */
const UPCASTERS: Readonly<Record<string, readonly Upcaster[]>> = {
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
