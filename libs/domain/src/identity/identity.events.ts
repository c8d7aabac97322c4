import type { AttributeValue, Instant, Uuid } from '#libs/kernel';
import type { CarriedIdentity } from '../interaction/interaction.events.js';
import { privacyOf } from '../personal.js';
import type { EvidenceKind } from './identity.evidence.js';
import type { ResolvedProposal } from './identity.resolution.js';

/** Who decided; absent where a rule did. */
export interface DecidedBy {
  agent: string;
}

/** What every link decision says: which link, by which rules or by whom, and why. */
interface LinkDecision {
  link: Uuid;
  /** Version of the rules that decided; absent where an agent did. */
  rule?: string;
  by?: DecidedBy;
  /** Of an agent it is free text, hence sealed, under a key of the link. */
  reason?: string;
  /** The key is destroyed. Never stored. */
  erased?: true;
}

/** Shape 2, sealed. Two identities belong to one customer from here on; `a` sorts before `b`. */
export interface IdentitiesLinked {
  type: 'IdentitiesLinked';
  data: LinkDecision & {
    a: Uuid;
    b: Uuid;
    /** Strongest evidence when the link was made. */
    evidence: EvidenceKind | 'agent';
    /** 0 to 1. */
    confidence: number;
  };
}

/** Shape 2. Two identities may belong together, but an agent has to say so; `a` sorts before `b`. */
export interface LinkProposed {
  type: 'LinkProposed';
  data: Omit<LinkDecision, 'reason'> & {
    a: Uuid;
    b: Uuid;
    /** Strongest evidence that they do; shape 1 did not say. */
    evidence: ResolvedProposal['evidence'] | 'unknown';
    /** Why the rules did not link by themselves. */
    reason: ResolvedProposal['reason'];
    /** 0 to 1. */
    confidence: number;
  };
}

/** Shape 2, sealed. An agent accepted a proposal: the link is active. */
export interface LinkConfirmed {
  type: 'LinkConfirmed';
  data: LinkDecision;
}

/** Shape 2, sealed. A proposal is closed without a link: by an agent for good, by a rule when it has become pointless. */
export interface LinkRejected {
  type: 'LinkRejected';
  data: LinkDecision;
}

/** Shape 2, sealed. A link no longer holds; every interaction is with the identity it came from again. */
export interface LinkRetracted {
  type: 'LinkRetracted';
  data: LinkDecision & { reason: string };
}

/**
 * Shape 1, on a stream of the identity's own. Different people have had an identifier one after the other: what came from it
 * alone belongs to whoever had it on that day. The last such event of an identity counts.
 */
export interface IdentityErasDecided {
  type: 'IdentityErasDecided';
  data: {
    /** The identity itself, which is its present holders'. */
    identity: Uuid;
    /** The times before, the oldest first, as identities of their own; none: it is one customer's for all time. */
    former: {
      identity: Uuid;
      /** First day that is no longer in it, `YYYY-MM-DD` in UTC. It begins where the one before ends. */
      until: string;
    }[];
    /** Version of the rules that decided. */
    rule: string;
  };
}

/** Shape 2, sealed. A customer record of another system, as it stood when imported. */
export interface ProfileImported {
  type: 'ProfileImported';
  data: {
    /** The record's own identity, of type `profile`. */
    profile: Uuid;
    source: string;
    externalId: string;
    identities: CarriedIdentity[];
    name?: string;
    givenName?: string;
    familyName?: string;
    /** `YYYY-MM-DD`. */
    birthDate?: string;
    address?: string;
    attributes?: Record<string, AttributeValue>;
    consents?: Record<string, boolean>;
    createdAt?: Instant;
    /** Keyed fingerprint of the content: equal for a repeated import. */
    digest: string;
    /** The key is destroyed. Never stored. */
    erased?: true;
  };
}

export const linkedPrivacy = privacyOf<IdentitiesLinked['data']>('stream', {
  link: 'clear',
  rule: 'clear',
  by: 'clear',
  reason: 'sealed',
  a: 'clear',
  b: 'clear',
  evidence: 'clear',
  confidence: 'clear',
});

/** Its reason is one of the rules' own words. */
export const proposedPrivacy = privacyOf<LinkProposed['data']>('stream', {
  link: 'clear',
  rule: 'clear',
  by: 'clear',
  reason: 'clear',
  a: 'clear',
  b: 'clear',
  evidence: 'clear',
  confidence: 'clear',
});

export const decidedPrivacy = privacyOf<LinkConfirmed['data']>('stream', {
  link: 'clear',
  rule: 'clear',
  by: 'clear',
  reason: 'sealed',
});

export const retractedPrivacy = privacyOf<LinkRetracted['data']>('stream', {
  link: 'clear',
  rule: 'clear',
  by: 'clear',
  reason: 'marked',
});

export const erasPrivacy = privacyOf<IdentityErasDecided['data']>('identity', {
  identity: 'clear',
  former: 'clear',
  rule: 'clear',
});

/** Everything the other system says of the person; which system, the ledger counts by. */
export const profilePrivacy = privacyOf<ProfileImported['data']>('profile', {
  profile: 'clear',
  source: 'clear',
  externalId: 'marked',
  identities: { each: { identity: 'clear', type: 'clear', value: 'marked', verified: 'clear', blocked: 'clear' } },
  name: 'sealed',
  givenName: 'sealed',
  familyName: 'sealed',
  birthDate: 'sealed',
  address: 'sealed',
  attributes: 'sealed',
  consents: 'unnamed',
  createdAt: 'unnamed',
  digest: 'clear',
});

/** What a `link-{id}` stream holds. */
export type LinkEvent = IdentitiesLinked | LinkProposed | LinkConfirmed | LinkRejected | LinkRetracted;

export type IdentityEvent = LinkEvent | ProfileImported | IdentityErasDecided;
