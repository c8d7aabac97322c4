import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import { HubError, codeOf, isRetryable } from '#libs/kernel';
import type { Logger } from '#libs/kernel/logging.js';
import { CLOUD_EVENT_CONTENT_TYPE, toCloudEvent } from '../cloud-event.js';
import type { BusMessage, ConsumeBatch } from '../interaction-bus.port.js';
import { withDeadline } from './deadline.js';
import type { KafkaNames } from './kafka.client.js';
import type { DeadLetter, DeadLetters } from './kafka.dead-letters.js';
import { busUnavailable, inWords, isClientError } from './kafka.errors.js';
import { openMessages, textHeaders, type MessageSeal, type Unreadable } from './kafka.message.js';

/** An event of another producer, as the Kafka binding carries it: header names in lower case, the value as it came. */
export interface ForeignEvent {
  headers: Readonly<Record<string, string | undefined>>;
  value: Buffer;
}

/** Reads an event for a tenant: its message, or one sentence without personal data that says why it is none. Total. */
export type ReadForeign = (tenant: string, event: ForeignEvent) => BusMessage | { problem: string };

export interface KafkaConsumerOptions {
  names: KafkaNames;
  seal: MessageSeal;
  readForeign: ReadForeign;
  handle: ConsumeBatch;
  /** Hears that consuming has ended for good. */
  onFailure: (error: HubError) => void;
  logger: Logger;
  /** Milliseconds without a sign of life after which the group gives our partitions to others. */
  sessionMs: number;
  /** Milliseconds the recorder may take for one batch before the program is given up. @default 120000 */
  stuckAfterMs?: number;
}

/** Messages handed over at once, and between two commits. */
const CHUNK = 256;
/** Partitions under way together: while one waits for the store, or for its commit, others are read and sealed. */
const PARTITIONS_AT_A_TIME = 4;
const REBALANCE_MS = 60_000;
const LONGEST_HEARTBEAT_MS = 5000;
const FETCH_WAIT_MS = 500;
const PARTITION_BYTES = 262_144;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 10_000;
const LEAVE_MS = 5000;

interface Entry {
  raw: KafkaMessage;
  message: BusMessage;
}

/**
 * Takes messages off the topics and hands them over, partition by partition, in order. An offset is committed when its
 * message is recorded or set aside, never before: after a crash, or when a partition changes hands, messages come again.
 *
 * What fails and may pass is tried again in place, with the group kept alive meanwhile. What can never be recorded is a
 * dead letter, and its partition goes on. No error but the client's own leaves the handler: any other would end it.
 */
export class KafkaConsumer {
  private readonly consumer: Consumer;
  private readonly heartbeatMs: number;
  private readonly stopping = new AbortController();
  private started: Promise<void> = Promise.resolve();
  /** Batches under way. */
  private readonly running = new Set<Promise<void>>();

  constructor(
    kafka: Kafka,
    private readonly deadLetters: DeadLetters,
    private readonly options: KafkaConsumerOptions,
  ) {
    this.heartbeatMs = Math.min(LONGEST_HEARTBEAT_MS, options.sessionMs / 3);
    this.consumer = kafka.consumer({
      groupId: options.names.group,
      sessionTimeout: options.sessionMs,
      rebalanceTimeout: REBALANCE_MS,
      heartbeatInterval: this.heartbeatMs,
      maxBytesPerPartition: PARTITION_BYTES,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      allowAutoTopicCreation: false,
      // Otherwise the client would come back from a lost connection after it was told to leave.
      retry: { restartOnFailure: () => Promise.resolve(!this.stopping.signal.aborted) },
    });
    this.consumer.on('consumer.group_join', () => {
      if (this.stopping.signal.aborted) void this.consumer.disconnect();
    });
    this.consumer.on('consumer.crash', ({ payload: { error, restart } }) => {
      if (!restart) this.fail('BUS.CONSUMER_CRASHED', `Kafka: consuming has ended: ${inWords(error)}`, error);
    });
  }

  /** Joins the group in the background. */
  start(): void {
    this.started = this.run().catch((error: unknown) =>
      this.fail('BUS.CONSUMER_CRASHED', `Kafka: consuming could not begin: ${inWords(error)}`, error),
    );
  }

  /** Resolves when the running chunk is recorded and committed; the group is told that we leave, if it listens. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.allSettled(this.running);
    const left = this.started.then(() => this.consumer.disconnect());
    await withDeadline(LEAVE_MS, left, () => busUnavailable('it does not let go')).catch(() => undefined);
  }

  private async run(): Promise<void> {
    while (!(await this.subscribed())) await sleep(LONGEST_WAIT_MS / 10);
    if (this.stopping.signal.aborted) return;
    await this.consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: PARTITIONS_AT_A_TIME,
      eachBatch: (batch) => {
        const taken = this.take(batch);
        this.running.add(taken);
        return taken.finally(() => this.running.delete(taken));
      },
    });
  }

  /** Whether we may begin; the client gives up here where it does not once it runs. */
  private async subscribed(): Promise<boolean> {
    const { names, logger } = this.options;
    try {
      await this.consumer.connect();
      await this.consumer.subscribe({ topics: [names.interactions, ...names.inbound.keys()], fromBeginning: true });
      return true;
    } catch (error) {
      if (!isClientError(error)) throw error;
      logger.warn(`Kafka: consuming cannot begin yet: ${inWords(error)}`);
      return this.stopping.signal.aborted;
    }
  }

  private async take(payload: EachBatchPayload): Promise<void> {
    const { topic, partition, messages } = payload.batch;
    for (let from = 0; from < messages.length; from += CHUNK) {
      if (!payload.isRunning() || payload.isStale() || this.stopping.signal.aborted) return;
      const chunk = messages.slice(from, from + CHUNK);
      const pulse = new Pulse(() => payload.heartbeat(), this.heartbeatMs);
      try {
        await this.record({ topic, partition, chunk, pulse });
      } catch (error) {
        // Not committed, so it comes again: to us after a restart, or to whoever has the partition then.
        if (error === STOPPED) return;
        throw error;
      } finally {
        pulse.stop();
      }
      const last = chunk.at(-1)!.offset;
      await payload.commitOffsetsIfNecessary({
        topics: [{ topic, partitions: [{ partition, offset: String(BigInt(last) + 1n) }] }],
      });
      payload.resolveOffset(last);
      await payload.heartbeat();
    }
  }

  private async record({ topic, partition, chunk, pulse }: Chunk): Promise<void> {
    const read = await this.untilDone(pulse, () => this.read(topic, chunk));
    const entries: Entry[] = [];
    for (const [index, message] of read.entries()) {
      const raw = chunk[index]!;
      if ('type' in message) {
        message.delivery = `${topic}/${partition}/${raw.offset}`;
        entries.push({ raw, message });
      } else await this.setAside(pulse, this.letterOf({ topic, partition, raw }, message));
    }
    await this.handOver(topic, partition, entries, pulse);
  }

  private async read(topic: string, chunk: readonly KafkaMessage[]): Promise<(BusMessage | Unreadable)[]> {
    const { names, seal, readForeign } = this.options;
    const tenant = names.inbound.get(topic);
    if (tenant === undefined) return openMessages(chunk, seal);
    return chunk.map(({ headers, value }) => {
      const foreign = readForeign(tenant, { headers: textHeaders(headers), value: value ?? NOTHING });
      return 'type' in foreign ? foreign : { code: 'BUS.UNREADABLE', ...foreign };
    });
  }

  private letterOf({ topic, partition, raw }: Place, { code, problem }: Unreadable): DeadLetter {
    const tenant = this.options.names.inbound.get(topic);
    return {
      topic,
      partition,
      offset: raw.offset,
      ...(tenant !== undefined && { tenant }),
      reasonCode: code,
      reason: problem,
      contentType: textHeaders(raw.headers)['content-type'] ?? 'application/octet-stream',
      bytes: raw.value ?? NOTHING,
    };
  }

  /** All at once; where that meets a defect, one by one, so that only the message concerned is set aside. */
  private async handOver(topic: string, partition: number, entries: readonly Entry[], pulse: Pulse): Promise<void> {
    if (entries.length === 0) return;
    try {
      await this.untilDone(pulse, () => this.handle(entries.map(({ message }) => message)));
    } catch (error) {
      if (error === STOPPED || isClientError(error)) throw error;
      if (entries.length > 1) {
        for (const entry of entries) await this.handOver(topic, partition, [entry], pulse);
        return;
      }
      const { raw, message } = entries[0]!;
      const letter: DeadLetter = {
        topic,
        partition,
        offset: raw.offset,
        message,
        reasonCode: codeOf(error) ?? 'BUS.DEFECT',
        reason: error instanceof HubError ? error.message : 'the recorder could not handle this contact',
        contentType: CLOUD_EVENT_CONTENT_TYPE,
        bytes: Buffer.from(JSON.stringify(toCloudEvent(message))),
      };
      await this.setAside(pulse, letter);
    }
  }

  private async handle(messages: readonly BusMessage[]): Promise<void> {
    const { handle, stuckAfterMs = 120_000 } = this.options;
    const watchdog = setTimeout(() => {
      this.fail('BUS.CONSUMER_STUCK', `the recorder has not finished a batch for ${stuckAfterMs} ms`);
    }, stuckAfterMs);
    try {
      const outcomes = await handle(messages);
      if (outcomes.length !== messages.length)
        throw new HubError('BUS.OUTCOMES_MISSING', `${outcomes.length} outcomes for ${messages.length} messages`);
    } finally {
      clearTimeout(watchdog);
    }
  }

  private async setAside(pulse: Pulse, letter: DeadLetter): Promise<void> {
    const { topic, partition, offset, reasonCode } = letter;
    this.options.logger.warn({ topic, partition, offset, code: reasonCode }, 'a message on the bus is set aside');
    await this.untilDone(pulse, () => this.deadLetters.take(letter), true);
  }

  /**
   * What `work` gives, tried again for as long as its failure may pass.
   * @param always whatever it fails for
   */
  private async untilDone<T>(pulse: Pulse, work: () => Promise<T>, always = false): Promise<T> {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      pulse.check();
      try {
        return await work();
      } catch (error) {
        if (this.stopping.signal.aborted) throw STOPPED;
        if (!always && !isRetryable(error)) throw error;
        this.options.logger.warn({ code: codeOf(error), waitMs }, 'the recorder cannot take messages; trying again');
      }
      // Half of it by chance, so that several recorders do not come back together.
      await sleep(waitMs * (0.5 + Math.random() / 2), undefined, { signal: this.stopping.signal }).catch(() => {
        throw STOPPED;
      });
    }
  }

  private fail(code: string, message: string, cause?: unknown): void {
    if (!this.stopping.signal.aborted) this.options.onFailure(new HubError(code, message, { cause }));
  }
}

interface Chunk {
  topic: string;
  partition: number;
  chunk: readonly KafkaMessage[];
  pulse: Pulse;
}

interface Place {
  topic: string;
  partition: number;
  raw: KafkaMessage;
}

const NOTHING = Buffer.alloc(0);
const STOPPED = new Error('the consumer was stopped');

/** Tells the group that we are alive while a chunk takes its time; the client does so between batches only. */
class Pulse {
  private failure: unknown;
  private readonly timer: NodeJS.Timeout;

  constructor(heartbeat: () => Promise<void>, everyMs: number) {
    this.timer = setInterval(() => {
      heartbeat().catch((error: unknown) => (this.failure ??= error));
    }, everyMs);
  }

  /** @throws what the group has answered: that it is being divided anew, or knows us no more */
  check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
