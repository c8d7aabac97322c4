import type { InboundInteraction, InboundProfile } from '#libs/kernel';
import type { Traceparent } from '#libs/kernel/tracing/tracing.port.js';

/** What travels: a contact, or a customer record of another system. */
export type BusMessage = (
  { type: 'interaction'; interaction: InboundInteraction } | { type: 'profile'; profile: InboundProfile }
) & {
  receipt: string;
  /**
   * Names this delivery of the contact, the same whenever the bus hands it over again, to whatever program: of a bus that
   * keeps messages.
   */
  delivery?: string;
  /** The trace that brought it, where somebody records one. */
  traceparent?: Traceparent;
};

export type DeliveryStatus = 'accepted' | 'recorded' | 'duplicate' | 'corrected' | 'parked';

/** What became of one message by the time it was durable. */
export interface DeliveryOutcome {
  status: DeliveryStatus;
  /** Names the contact for ever; of a parked message, the parked message. */
  receipt: string;
  /** Where it was recorded, or where the original of a duplicate was. */
  position?: number;
  /** Why it was parked. */
  reason?: string;
}

export type ConsumeBatch = (messages: readonly BusMessage[]) => Promise<DeliveryOutcome[]>;

export interface BusConsumer {
  /** Takes no further message, resolves when the running batch is done. */
  stop(): Promise<void>;
}

/**
 * Interactions in transit, in order per key (`busKeyOf`).
 *
 * Promises of every adapter (checked by `interaction-bus.contract.ts`): `publish` resolves once all its messages are
 * durable, with one outcome per message in the order given; messages of one key reach the consumer in the order they
 * were published; a bus that is full refuses the whole call with `BUS.FULL` (retryable) and takes nothing. Messages that
 * the consumer throws on are not lost: where durable means recorded, their publish rejects and they count as not taken;
 * where the bus itself keeps them (`accepted`), it hands them over again.
 */
export abstract class InteractionBus {
  abstract publish(messages: readonly BusMessage[]): Promise<DeliveryOutcome[]>;

  /** Registers the one consumer of this program. */
  abstract consume(handle: ConsumeBatch): BusConsumer;

  /** Messages that this program has taken and not yet answered for. */
  abstract inFlight(): number;

  /** Messages accepted by whatever program and not yet handled. Rejects where the bus cannot be asked. */
  abstract backlog(): Promise<number>;

  /** The tenant of a message that was answered `accepted` here and is not known to be recorded; forgotten at a restart. */
  abstract waitingFor(receipt: string): string | undefined;

  /**
   * Whether everything that was accepted before this call, by whatever program, is handled, within so many milliseconds.
   * Rejects where the bus cannot be asked.
   */
  abstract handledSoFar(withinMs: number): Promise<boolean>;

  abstract close(): Promise<void>;
}
