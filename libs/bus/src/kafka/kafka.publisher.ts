import type { Producer } from 'kafkajs';
import { HubError, isRetryable } from '#libs/kernel';
import type { BusMessage, DeliveryOutcome } from '../interaction-bus.port.js';
import { busClosed, busUnavailable, fromClient } from './kafka.errors.js';
import { outgoingOf, sealed, type MessageSeal, type Outgoing } from './kafka.message.js';

export interface KafkaPublisherOptions {
  topic: string;
  seal: Pick<MessageSeal, 'now'>;
  hashKey: (busKey: string) => string;
  /** Messages taken and not yet acknowledged, from 1. */
  capacity: number;
  /** Size of these messages together. @default 67108864 (64 MiB) */
  capacityBytes?: number;
  /** Milliseconds after which a publish that is not acknowledged rejects. */
  deadlineMs: number;
}

interface Publish {
  outcomes: DeliveryOutcome[];
  /** Messages that no broker has acknowledged yet. */
  left: number;
  timer: NodeJS.Timeout;
  resolve: (outcomes: DeliveryOutcome[]) => void;
  reject: (error: unknown) => void;
}

interface Waiting {
  outgoing: Outgoing;
  publish: Publish;
}

/**
 * Keys are spread over so many lanes; each has one send under way. Two gave more than one, four or eight (measured): one
 * is made ready while the other is on its way, and fewer sends carry more each.
 */
const LANES = 2;
const SEND_MESSAGES = 500;
/** All of a send may belong to one partition, and a broker takes 1 MiB at once for each. */
const SEND_BYTES = 900 * 1024;
/** What headers, key and seal add to a message, at most. */
const ENVELOPE_BYTES = 1024;

/**
 * Puts messages on a topic. A key always goes the same lane, and a lane waits for the end of its send before the next:
 * so the messages of a key keep their order, also when a send is retried, and what waits meanwhile goes together.
 */
export class KafkaPublisher {
  private readonly lanes = Array.from({ length: LANES }, () => ({ waiting: [] as Waiting[], busy: false }));
  private messages = 0;
  private bytes = 0;
  private closed = false;
  private whenEmpty: (() => void) | undefined;
  private readonly capacityBytes: number;

  constructor(
    private readonly producer: Producer,
    private readonly options: KafkaPublisherOptions,
  ) {
    this.capacityBytes = options.capacityBytes ?? 64 * 1024 * 1024;
  }

  /**
   * Resolves when the brokers have all messages, in as many copies as the topic demands.
   * @throws HubError `BUS.FULL`, `BUS.CLOSED`: nothing was taken. `BUS.UNAVAILABLE`: some of it may have been. All retryable.
   */
  async publish(messages: readonly BusMessage[]): Promise<DeliveryOutcome[]> {
    if (this.closed) throw busClosed();
    if (messages.length === 0) return [];
    const { capacity, hashKey, deadlineMs } = this.options;
    // What exceeds the capacity on its own could never pass, so an empty bus takes it.
    if (this.messages > 0 && this.messages + messages.length > capacity) throw this.full();
    const outgoing = messages.map((message) => outgoingOf(message, hashKey));
    const bytes = outgoing.reduce((sum, one) => sum + one.bytes, 0);
    if (this.messages > 0 && this.bytes + bytes > this.capacityBytes) throw this.full();
    this.messages += messages.length;
    this.bytes += bytes;
    return new Promise((resolve, reject) => {
      const publish: Publish = {
        outcomes: messages.map(({ receipt }) => ({ status: 'accepted', receipt })),
        left: messages.length,
        timer: setTimeout(() => this.giveUp(publish), deadlineMs),
        resolve,
        reject,
      };
      for (const one of outgoing) this.enqueue({ outgoing: one, publish });
    });
  }

  /** Messages taken and not yet acknowledged or given up. */
  inFlight(): number {
    return this.messages;
  }

  /** Takes nothing more, resolves when everything taken has been acknowledged or given up. */
  async close(): Promise<void> {
    this.closed = true;
    if (this.messages > 0) await new Promise<void>((resolve) => (this.whenEmpty = resolve));
  }

  private enqueue(waiting: Waiting): void {
    const lane = this.lanes[laneOf(waiting.outgoing.key)]!;
    lane.waiting.push(waiting);
    if (lane.busy) return;
    lane.busy = true;
    // The end of this turn: what other requests publish in it goes along.
    setImmediate(() => void this.drain(lane));
  }

  /** Never rejects: every publish concerned learns what became of it. */
  private async drain(lane: { waiting: Waiting[]; busy: boolean }): Promise<void> {
    while (lane.waiting.length > 0) {
      const batch = takeBatch(lane.waiting);
      let failure: unknown;
      try {
        const seal = await this.options.seal.now();
        await this.producer.send({
          topic: this.options.topic,
          acks: -1,
          messages: batch.map(({ outgoing }) => sealed(outgoing, seal)),
        });
      } catch (error) {
        failure = isRetryable(error) ? error : fromClient(error);
      }
      for (const one of batch) this.settle(one, failure);
    }
    lane.busy = false;
  }

  private settle({ publish, outgoing }: Waiting, failure?: unknown): void {
    this.messages -= 1;
    this.bytes -= outgoing.bytes;
    publish.left -= 1;
    if (failure !== undefined) publish.reject(failure);
    else if (publish.left === 0) publish.resolve(publish.outcomes);
    if (publish.left === 0) clearTimeout(publish.timer);
    if (this.messages === 0) this.whenEmpty?.();
  }

  /** What has not gone out goes out no more; what is under way cannot be called back, and its lane waits for it. */
  private giveUp(publish: Publish): void {
    const late = busUnavailable(`nothing was acknowledged within ${this.options.deadlineMs} ms`);
    publish.reject(late);
    for (const lane of this.lanes) {
      const unsent = lane.waiting.filter((one) => one.publish === publish);
      if (unsent.length === 0) continue;
      lane.waiting = lane.waiting.filter((one) => one.publish !== publish);
      for (const one of unsent) this.settle(one, late);
    }
  }

  private full(): HubError {
    const { capacity } = this.options;
    return new HubError('BUS.FULL', `${this.messages} contacts are waiting for Kafka; try again later`, {
      retryable: true,
      facts: { waiting: this.messages, capacity },
    });
  }
}

const laneOf = (key: string): number => (key.charCodeAt(0) + key.charCodeAt(key.length - 1)) % LANES;

const takeBatch = (waiting: Waiting[]): Waiting[] => {
  let bytes = 0;
  let count = 0;
  for (const { outgoing } of waiting) {
    // Sealed data travels as base64.
    bytes += (outgoing.bytes * 4) / 3 + ENVELOPE_BYTES;
    if (count > 0 && (bytes > SEND_BYTES || count === SEND_MESSAGES)) break;
    count += 1;
  }
  return waiting.splice(0, count);
};
