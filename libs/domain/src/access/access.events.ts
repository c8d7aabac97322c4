import type { Instant, Uuid } from '#libs/kernel';
import { privacyOf } from '../personal.js';

/** What of a customer was looked at. */
export const SEEN_PARTS = [
  'header', 'timeline', 'stream', 'conversation', 'interaction', 'identities', 'history', 'data',
] as const; // prettier-ignore
export type SeenPart = (typeof SEEN_PARTS)[number];

/** What can be shown to who otherwise sees masks. */
export const REVEALED_FIELDS = ['name', 'identifier', 'birthDate'] as const;
export type RevealedField = (typeof REVEALED_FIELDS)[number];

/** Shape 1. Somebody looked at a customer; several looks within a second or so are one event. */
export interface TimelineViewed {
  type: 'TimelineViewed';
  data: {
    /** Id of an API key, or `user:` and the subject of a token. */
    by: string;
    /** The id by which the customer was opened, or that the answer gave it. */
    customer: Uuid;
    /** Time of the first of these looks. */
    at: Instant;
    saw: SeenPart[];
    /** How many looks. */
    reads: number;
    /** Code of the reason the caller gave. */
    reason?: string;
  };
}

/** Shape 1. Somebody was shown one personal value in clear that is masked for them; the value itself is not kept. */
export interface PersonalDataRevealed {
  type: 'PersonalDataRevealed';
  data: {
    by: string;
    customer: Uuid;
    at: Instant;
    field: RevealedField;
    /** Which identifier. */
    identity?: Uuid;
    reason: string;
  };
}

/** What an `access-{id}` stream holds. */
export type AccessEvent = TimelineViewed | PersonalDataRevealed;

/** Who looked is one of the tenant's own people; whom they looked at stands as an id. */
export const viewedPrivacy = privacyOf<TimelineViewed['data']>('customer', {
  by: 'clear',
  customer: 'clear',
  at: 'clear',
  saw: 'clear',
  reads: 'clear',
  reason: 'clear',
});

export const revealedPrivacy = privacyOf<PersonalDataRevealed['data']>('customer', {
  by: 'clear',
  customer: 'clear',
  at: 'clear',
  field: 'clear',
  identity: 'clear',
  reason: 'clear',
});
