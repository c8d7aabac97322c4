import type { Instant, Uuid } from '#libs/kernel';
import type { DecidedBy } from '../identity/identity.events.js';
import type { CommitmentMade, NoteAdded } from './agent-work.events.js';

/** Keep this note, exactly once. */
export interface AddNote {
  type: 'AddNote';
  content: NoteAdded['data'];
}

/** Keep in mind that this was promised, exactly once. */
export interface MakeCommitment {
  type: 'MakeCommitment';
  content: CommitmentMade['data'];
}

interface EndCommitment {
  commitment: Uuid;
  by: DecidedBy;
  at: Instant;
  reason?: string;
}

/** Say that what was promised is done. */
export interface KeepCommitment extends EndCommitment {
  type: 'KeepCommitment';
}

/** Say that what was promised is no longer owed. */
export interface WithdrawCommitment extends EndCommitment {
  type: 'WithdrawCommitment';
}

export type CommitmentCommand = MakeCommitment | KeepCommitment | WithdrawCommitment;
