import type { AppendReceipt, ExpectedRevision, NewEvent, Position, StreamId } from '#libs/event-store';
import type { IdentityRules } from '#libs/domain';
import type { HandOver } from '#libs/projections/projector/hand-over.js';

/** What the projector thread is started with. */
export interface ProjectorData {
  dataDir: string;
  readModelUrl: string;
  /** The master keys, where they come from the environment. */
  masterKey?: string;
  nextMasterKey?: string;
  rules: IdentityRules;
}

export type ToProjector =
  | { type: 'head'; position: Position }
  | { type: 'events'; events: HandOver }
  | { type: 'appended'; call: number; receipt: AppendReceipt }
  | { type: 'appended'; call: number; error: { code: string; message: string; retryable: boolean } }
  | { type: 'stop' };

export type FromProjector =
  | { type: 'advance'; position: Position; corrected: readonly Position[] }
  | { type: 'append'; call: number; stream: StreamId; events: NewEvent[]; expected: ExpectedRevision }
  | { type: 'failed'; code: string; message: string };
