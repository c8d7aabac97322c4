import type { Uuid } from '#libs/kernel';

/** How far the message had come: proving the delivery, reading it, recording it. */
export type ParkedStage = 'edge' | 'parse' | 'record';

export type ParkedStatus = 'parked' | 'replayed' | 'discarded';

/** A message that could not be recorded, as it is handed over. */
export interface NewParkedMessage {
  /** Derived from bytes and reason, it makes a redelivery count as an attempt of the same message. @default random */
  id?: Uuid;
  tenant: string;
  channel: string;
  account: string;
  stage: ParkedStage;
  /** `ROOM.REASON` of the error. */
  reasonCode: string;
  /** One sentence for an operator, without personal data. */
  reason: string;
  /** Epoch milliseconds, when the delivery reached the edge. */
  receivedAtMs: number;
  contentType: string;
  /** The message as it came, kept exactly. */
  bytes: Buffer;
  /** Id of the contact it concerns, where that is known. */
  receipt?: Uuid;
}

/** What a list shows: everything but the bytes. */
export interface ParkedSummary extends Omit<NewParkedMessage, 'id' | 'bytes'> {
  id: Uuid;
  /** How often it was parked, from 1. */
  attempts: number;
  /** Epoch milliseconds, when it was first parked. */
  parkedAtMs: number;
  status: ParkedStatus;
  /** What its replay led to. */
  outcome?: string;
  discardedBy?: string;
  discardReason?: string;
}

export interface ParkedMessage extends ParkedSummary {
  bytes: Buffer;
}

export interface ListParkedOptions {
  tenant?: string;
  status?: ParkedStatus;
  /** Only messages of this contact. */
  receipt?: Uuid;
  /** Only messages parked before this one; a list's last id gives the next page. */
  before?: Uuid;
  /** 1 to 1000. */
  limit: number;
}

/** How many messages of an account are in each status. */
export interface ParkedCount extends Record<ParkedStatus, number> {
  tenant: string;
  channel: string;
  account: string;
}

/**
 * Messages that could not be recorded, kept until somebody replays or discards them.
 *
 * Promises of every adapter (checked by `parked-messages.contract.ts`): what is parked is durable when the promise
 * resolves; a second `park` under the same id stores nothing but one more attempt, opens a replayed message again and
 * leaves a discarded one discarded; an unknown id rejects with `PARKED.NOT_FOUND`, a message that is not `parked` any
 * more with `PARKED.SETTLED`. A purged message has no bytes left, and none come back under its id.
 */
export abstract class ParkedMessages {
  abstract park(message: NewParkedMessage): Promise<Uuid>;

  /** Newest first. */
  abstract list(options: ListParkedOptions): Promise<ParkedSummary[]>;

  abstract get(id: Uuid): Promise<ParkedMessage | undefined>;

  /** @param outcome what the replay led to, for example `recorded` */
  abstract markReplayed(id: Uuid, outcome: string): Promise<void>;

  /** Gives a message up; its bytes stay. */
  abstract discard(id: Uuid, by: string, reason: string): Promise<void>;

  /**
   * Takes the bytes of a message away, whatever its status; one that was still parked is discarded.
   * @returns whether there were any
   */
  abstract purge(id: Uuid, by: string, reason: string): Promise<boolean>;

  /** By tenant, channel and account, in that order. */
  abstract count(tenant?: string): Promise<ParkedCount[]>;
}
