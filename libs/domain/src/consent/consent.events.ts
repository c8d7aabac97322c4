import type { Instant, Uuid } from '#libs/kernel';
import { privacyOf } from '../personal.js';

/** Shape 1. What a person allows or forbids, as it was told to the identity it stands with. */
export interface ConsentRecorded {
  type: 'ConsentRecorded';
  data: {
    identity: Uuid;
    /** Code of what is allowed or forbidden, for example `marketing`. */
    purpose: string;
    /** Absent: on every channel. */
    channel?: string;
    /** False: withdrawn or denied. */
    granted: boolean;
    /** How the person said so; free text, hence sealed. */
    evidence: string;
    /** From here on the statement no longer holds. */
    until?: Instant;
    statedAt: Instant;
    /** Id of an API key, or `user:` and the subject of a token. */
    by: string;
    /** The key is destroyed. Never stored. */
    erased?: true;
  };
}

/** Shape 1. The channel a person wishes to be reached on, or that they have no such wish any more. */
export interface PreferenceStated {
  type: 'PreferenceStated';
  data: {
    identity: Uuid;
    /** The preferred one. */
    channel: string;
    /** Code of what it is preferred for; absent: in general. */
    purpose?: string;
    /** The wish is taken back. */
    withdrawn?: true;
    evidence?: string;
    /** From here on the statement no longer holds. */
    until?: Instant;
    statedAt: Instant;
    by: string;
    /** The key is destroyed. Never stored. */
    erased?: true;
  };
}

/** What a `consent-{id}` stream holds; the id is that of the identity. */
export type ConsentEvent = ConsentRecorded | PreferenceStated;

/** Who has forbidden what stands as an id and a code. In each type something is always sealed, so that erasure shows. */
export const consentPrivacy = privacyOf<ConsentRecorded['data']>('identity', {
  identity: 'clear',
  purpose: 'clear',
  channel: 'clear',
  granted: 'clear',
  evidence: 'sealed',
  until: 'clear',
  statedAt: 'clear',
  by: 'clear',
});

export const preferencePrivacy = privacyOf<PreferenceStated['data']>('identity', {
  identity: 'clear',
  channel: 'marked',
  purpose: 'clear',
  withdrawn: 'clear',
  evidence: 'sealed',
  until: 'clear',
  statedAt: 'clear',
  by: 'clear',
});
