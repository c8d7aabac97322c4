import type { Instant, Uuid } from '#libs/kernel';
import { privacyOf } from '../personal.js';

/** Rows of one table of the read model. */
export interface ErasedRows {
  table: string;
  rows: number;
}

/** Shape 1. A customer is to be forgotten: what was found of it then. From here on it is carried out, whatever happens. */
export interface ErasureRequested {
  type: 'ErasureRequested';
  data: {
    erasure: Uuid;
    /** The id by which the customer was named. */
    customer: Uuid;
    /** Id of an API key, or `user:` and the subject of a token. */
    by: string;
    /** Code of the reason. */
    reason: string;
    requestedAt: Instant;
    identities: { identity: Uuid; type: string }[];
    links: Uuid[];
    /** Conversations that nobody else took part in. */
    conversations: Uuid[];
    contacts: number;
    /** Recorded events whose sealed content nobody can read any more. */
    events: number;
    rows: ErasedRows[];
  };
}

/** Shape 1. An identity is gone, on its own stream. Whoever comes under the same identifier later is another one. */
export interface IdentityErased {
  type: 'IdentityErased';
  data: {
    identity: Uuid;
    erasure: Uuid;
    by: string;
    reason: string;
    at: Instant;
  };
}

/** Shape 1. The certificate: what was destroyed, where, when and how much of it. */
export interface ErasureCompleted {
  type: 'ErasureCompleted';
  data: {
    erasure: Uuid;
    customer: Uuid;
    by: string;
    reason: string;
    requestedAt: Instant;
    completedAt: Instant;
    /** Of the last `IdentityErased`: everything up to there has forgotten. */
    position: number;
    identities: { identity: Uuid; type: string; keyDestroyed: boolean }[];
    /** How many links, with the reasons people gave for them. */
    links: number;
    conversations: number;
    contacts: number;
    events: number;
    rows: ErasedRows[];
    /** Parked messages whose bytes are gone. */
    parked: number;
    /** Files of the data directory in which nothing of what was deleted is left. */
    files: string[];
  };
}

/** What an `erasure-{id}` stream holds. */
export type ErasureEvent = ErasureRequested | ErasureCompleted;

/** None of it is personal: ids, counts and codes. It is what remains. */
export const erasureRequestedPrivacy = privacyOf<ErasureRequested['data']>('erasure', {
  erasure: 'clear',
  customer: 'clear',
  by: 'clear',
  reason: 'clear',
  requestedAt: 'clear',
  identities: 'clear',
  links: 'clear',
  conversations: 'clear',
  contacts: 'clear',
  events: 'clear',
  rows: 'clear',
});

export const identityErasedPrivacy = privacyOf<IdentityErased['data']>('identity', {
  identity: 'clear',
  erasure: 'clear',
  by: 'clear',
  reason: 'clear',
  at: 'clear',
});

export const erasureCompletedPrivacy = privacyOf<ErasureCompleted['data']>('erasure', {
  erasure: 'clear',
  customer: 'clear',
  by: 'clear',
  reason: 'clear',
  requestedAt: 'clear',
  completedAt: 'clear',
  position: 'clear',
  identities: 'clear',
  links: 'clear',
  conversations: 'clear',
  contacts: 'clear',
  events: 'clear',
  rows: 'clear',
  parked: 'clear',
  files: 'clear',
});
