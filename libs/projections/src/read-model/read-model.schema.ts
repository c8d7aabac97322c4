import type { Generated } from 'kysely';

/**
 * Rows of the read model. Integer keys inside, UUIDs (16 bytes) at the edges; keys count up in the order of the log,
 * so that a rebuild gives the same rows. Instants are epoch milliseconds, booleans 0 or 1.
 */
export interface ReadModelSchema {
  checkpoint: CheckpointTable;
  tenant: TextKeyTable;
  label: TextKeyTable;
  identity: IdentityTable;
  mention: MentionTable;
  profile: ProfileTable;
  link: LinkTable;
  conversation: ConversationTable;
  entry: EntryTable;
  timeline: TimelineTable;
  commitment: CommitmentTable;
  access: AccessTable;
  consent: ConsentTable;
  preference: PreferenceTable;
  erased_contact: ErasedContactTable;
  identity_past: IdentityPastTable;
  profile_past: ProfilePastTable;
  link_past: LinkPastTable;
  entry_past: EntryPastTable;
}

/** How far a projection has folded the log; moved first in each transaction, by compare-and-set. */
export interface CheckpointTable {
  name: string;
  /** Shape of the rows; another shape is folded anew. */
  version: number;
  position: number;
}

/** Names that occur in many rows, written once. */
export interface TextKeyTable {
  key: Generated<number>;
  text: string;
}

export interface IdentityTable {
  key: Generated<number>;
  id: Buffer;
  tenant: number;
  type: string;
  /** Empty where it is not known: what told it was erased, or the identity itself. */
  value: string;
  verified: number;
  firstPosition: number;
  /** Key of the earliest identity among all that active links join with this one. */
  customer: number;
  /** Name last seen beside this identity, by the clock of the contact. */
  name: string | null;
  nameAt: number | null;
  /** Key of the identity that it is a former era of; its value is the same. */
  whole: Generated<number | null>;
  /** First instant of the time in which it was its holders': null where nothing says that it was anybody else's before. */
  heldFrom: Generated<number | null>;
  /** End of that time, exclusive; null where it has not ended. */
  heldUntil: Generated<number | null>;
  /** Where it was erased: then the row is all that is left, and stays as it is. */
  erased: Generated<number | null>;
  /** Id of the erasure. */
  erasure: Generated<Buffer | null>;
}

/** A contact that was recorded and is erased; what stands here stands in clear in the log. */
export interface ErasedContactTable {
  position: number;
  tenant: number;
  channel: number;
  account: number;
}

/** An identity seen beside an anchor, linked or not: how a shared number still finds those who used it. */
export interface MentionTable {
  identity: number;
  anchor: number;
  /** Where the two were seen together for the first time. */
  position: number;
}

export interface ProfileTable {
  identity: number;
  /** Where it was imported last. */
  position: number;
  /** JSON of the imported record without its identifiers. */
  data: string;
}

/** `erased`: one of its ends is; the row says nothing more. */
export type LinkStatus = 'active' | 'retracted' | 'proposed' | 'rejected' | 'erased';

export interface LinkTable {
  key: Generated<number>;
  id: Buffer;
  tenant: number;
  a: number;
  b: number;
  status: LinkStatus;
  evidence: string;
  confidence: number;
  /** Version of the rules that decided, null when an agent did. */
  rule: string | null;
  agent: string | null;
  reason: string | null;
  firstPosition: number;
  /** Where it came to stand as it does. */
  lastPosition: number;
}

export interface ConversationTable {
  key: Generated<number>;
  id: Buffer;
  tenant: number;
}

/** One contact, or what an agent wrote down, as lists show it. */
export interface EntryTable {
  /** Where the contact was first recorded; stays through corrections. */
  position: number;
  id: Buffer;
  identity: number;
  conversation: number;
  channel: number;
  account: number;
  kind: number;
  direction: number;
  occurredAt: number;
  recordedAt: number;
  late: number;
  revision: number;
  subject: string | null;
  preview: string | null;
  agent: string | null;
  outcome: string | null;
}

/** The thin index that a page is read from; what it filters by, and nothing else. */
export interface TimelineTable {
  customer: number;
  occurredAt: number;
  position: number;
  identity: number;
  channel: number;
  kind: number;
  direction: number;
}

export type CommitmentStatus = 'open' | 'kept' | 'withdrawn';

/** What was promised; its entry has the same position. It ends once at most, so what it was by a position needs no past. */
export interface CommitmentTable {
  /** Where it was made. */
  position: number;
  id: Buffer;
  identity: number;
  conversation: number;
  text: string;
  dueAt: number | null;
  madeAt: number;
  agent: string;
  status: CommitmentStatus;
  /** Where it was kept or withdrawn. */
  endedPosition: number | null;
}

/** One look at a customer, or one value revealed. */
export interface AccessTable {
  position: number;
  /** The identity by which the customer was opened: looks go with it when links change. */
  identity: number;
  /** Id of an API key, or `user:` and a subject. */
  by: string;
  at: number;
  /** Parts that were seen, with spaces between them; null for a reveal. */
  saw: string | null;
  reads: number;
  /** What was revealed; null for a look. */
  field: string | null;
  /** Which identifier was revealed. */
  revealed: Buffer | null;
  reason: string | null;
}

/** One statement on a consent; all of them are kept, the newest of each speaker counts. */
export interface ConsentTable {
  /** The identity it was told to: statements stay with it when links change. */
  identity: number;
  position: number;
  purpose: string;
  /** Empty: every channel. */
  channel: string;
  granted: number;
  at: number;
  /** From here on it no longer holds. */
  until: number | null;
  evidence: string | null;
  /** Id of an API key, or `user:` and a subject; null where an imported record says so. */
  by: string | null;
}

/** One statement on a preferred channel; all of them are kept, the newest counts. */
export interface PreferenceTable extends Pick<
  ConsentTable,
  'identity' | 'position' | 'purpose' | 'at' | 'until' | 'evidence'
> {
  /** Null: the wish was taken back. An empty `purpose` is a wish in general. */
  channel: string | null;
  by: string;
}

/**
 * What a row said from one position up to another, exclusive, where an event changed it: written when that happens, so
 * that what never changes costs nothing. Together with the rows of now they show the read model as of any position.
 */
export interface PastStretch {
  since: number;
  until: number;
}

export interface IdentityPastTable extends PastStretch, Pick<IdentityTable, 'verified' | 'name' | 'nameAt'> {
  identity: number;
  heldFrom: number | null;
  heldUntil: number | null;
}

export interface ProfilePastTable extends PastStretch, Pick<ProfileTable, 'identity' | 'data'> {}

export interface LinkPastTable
  extends PastStretch, Pick<LinkTable, 'status' | 'evidence' | 'confidence' | 'rule' | 'agent' | 'reason'> {
  link: number;
}

/** Content that a correction has replaced, or whose it was before an identity was divided; where and under what id the contact was first recorded is in its `entry`. */
export interface EntryPastTable extends PastStretch, Omit<EntryTable, 'id' | 'recordedAt'> {}
