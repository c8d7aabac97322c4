import type { ChannelName, Instant, Uuid } from '#libs/kernel';
import type { DecidedBy } from '../identity/identity.events.js';
import { privacyOf } from '../personal.js';

/** What everything says that agents write down at a conversation. */
interface WrittenDown {
  conversation: Uuid;
  /** The identity that the conversation's newest contact came with: what is written goes wherever that one belongs. */
  anchor: Uuid;
  /** Of that contact. */
  channel: ChannelName;
  account: string;
  by: DecidedBy;
  /** Our clock. */
  at: Instant;
  /** The key is destroyed. Never stored. */
  erased?: true;
}

/** Shape 1, sealed. Something for colleagues to know. */
export interface NoteAdded {
  type: 'NoteAdded';
  data: WrittenDown & { note: Uuid; text: string };
}

/** Shape 1, sealed. Something was promised to the customer. */
export interface CommitmentMade {
  type: 'CommitmentMade';
  data: WrittenDown & { commitment: Uuid; text: string; dueAt?: Instant };
}

/** How a commitment ended, and why or how where somebody said so. */
type CommitmentEnd = WrittenDown & { commitment: Uuid; reason?: string };

/** Shape 1, sealed. What was promised is done. */
export interface CommitmentKept {
  type: 'CommitmentKept';
  data: CommitmentEnd;
}

/** Shape 1, sealed. What was promised is no longer owed. */
export interface CommitmentWithdrawn {
  type: 'CommitmentWithdrawn';
  data: CommitmentEnd;
}

/** Where and by whom it was written; what it says is sealed, whoever wrote it. */
const written = {
  conversation: 'clear',
  anchor: 'clear',
  channel: 'clear',
  account: 'clear',
  by: 'clear',
  at: 'clear',
} as const;

export const notePrivacy = privacyOf<NoteAdded['data']>('anchor', { ...written, note: 'clear', text: 'marked' });

export const commitmentPrivacy = privacyOf<CommitmentMade['data']>('anchor', {
  ...written,
  commitment: 'clear',
  text: 'marked',
  dueAt: 'clear',
});

export const commitmentEndPrivacy = privacyOf<CommitmentEnd>('anchor', {
  ...written,
  commitment: 'clear',
  reason: 'sealed',
});

/** What a `commitment-{id}` stream holds. */
export type CommitmentEvent = CommitmentMade | CommitmentKept | CommitmentWithdrawn;

/** A `note-{id}` stream holds one `NoteAdded`. */
export type AgentWorkEvent = NoteAdded | CommitmentEvent;
