import { setTimeout as delay } from 'node:timers/promises';
import type { EventStoreDBClient } from '@eventstore/db-client';
import { HubError } from '#libs/kernel';
import { counter } from '#libs/kernel/measures.js';
import type { CopiedEvent } from '../event-log.port.js';
import { revisionConflict } from '../event-store.errors.js';
import type { AppendReceipt, ExpectedRevision, StreamId } from '../event-store.port.js';
import { revisionBefore } from '../new-events.js';
import type { Appended } from './append-messages.js';
import { AppendStream } from './append-stream.js';
import { backoffMs } from './backoff.js';
import type { ConnectionSettings } from './connection-settings.js';
import { failureKindOf, refusedFor, unavailable } from './failures.js';
import { OrderedTasks } from './ordered-tasks.js';
import {
  eventData,
  outgoingOf,
  positionOf,
  type OutgoingEvent,
  type SideStreamId,
  type StreamNames,
} from './records.js';
import type { Patience } from './settled-reads.js';

/** Servers up to 25.0 refuse an append of more than 1 MiB; this leaves room for names and headers. */
export const MAX_APPEND_BYTES = 900 * 1024;

/** What the client's own deadline may take longer than it says before an attempt is given up without it. */
const DEADLINE_SLACK_MS = 500;

type OurStream = StreamId | SideStreamId;

export interface AppendBounds {
  /** Appends under way at a time. */
  maxInFlight: number;
  /** Appends waiting for their turn before further ones are refused. */
  maxWaiting: number;
}

/**
 * Appends side by side, in order per stream. An append whose outcome is unknown is sent again, identical, until the
 * server answers: it compares the ids with the stream itself, so it is stored once.
 */
export class Appender {
  private readonly tasks: OrderedTasks;
  private readonly together: AppendStream;
  /** Sent before what is appended now, and not answered. */
  private question: Promise<unknown> | undefined;
  private readonly resends = counter(
    'hilo_event_store_retries_total',
    'Appends sent again, their outcome being unknown',
  );

  constructor(
    private readonly client: EventStoreDBClient,
    private readonly names: StreamNames,
    private readonly settings: Pick<ConnectionSettings, 'credentials' | 'appendsTogether'>,
    private readonly patience: Patience,
    private readonly bounds: AppendBounds,
    private readonly positionInStream: (stream: OurStream, revision: number) => Promise<number>,
  ) {
    this.tasks = new OrderedTasks(bounds.maxInFlight);
    this.together = new AppendStream(client, settings.credentials, patience.attemptTimeoutMs);
  }

  append(stream: OurStream, events: readonly CopiedEvent[], expected: ExpectedRevision): Promise<AppendReceipt> {
    const batch = batchOf(stream, events);
    if (this.tasks.waiting >= this.bounds.maxWaiting)
      throw new HubError(
        'EVENT_STORE.UNAVAILABLE',
        `${this.bounds.maxWaiting} appends wait; nothing of this was stored`,
        {
          retryable: true,
        },
      );
    const { question } = this;
    const settle = (): Promise<AppendReceipt> => this.settle(stream, batch, expected);
    return this.tasks.add(stream, question ? () => question.then(settle) : settle);
  }

  /** What is appended from now on is sent once the question is answered, which could be overtaken otherwise. */
  after(question: Promise<unknown>): void {
    const answered = (): void => {
      if (this.question === asked) this.question = undefined;
    };
    const asked = question.then(answered, answered);
    this.question = asked;
  }

  /** Resolves when every append that was taken has been answered; none may be taken afterwards. */
  async close(): Promise<void> {
    await this.tasks.idle();
    this.together.close();
  }

  private async settle(
    stream: OurStream,
    batch: readonly OutgoingEvent[],
    expected: ExpectedRevision,
  ): Promise<AppendReceipt> {
    const end = Date.now() + this.patience.giveUpAfterMs;
    for (let attempts = 1; ; attempts++) {
      try {
        const { revision, commit } = await this.attempt(attempts, stream, batch, expected);
        if (revision !== revisionBefore(expected) + batch.length) throw deleted(stream, revision);
        const position = commit === undefined ? await this.positionInStream(stream, revision) : positionOf(commit);
        return { position, revision };
      } catch (error) {
        if (error instanceof HubError) throw error;
        const kind = failureKindOf(error);
        if (kind === 'conflict') throw revisionConflict(stream, expected, actualOf(error));
        if (kind === 'final') throw refusedFor(stream, error);
        if (Date.now() >= end) throw unavailable(stream, attempts, error, 'unknown');
        this.resends.inc();
        await delay(backoffMs(this.patience.backoff, attempts));
      }
    }
  }

  /** Once: where the address says so the first time together with others, else on a call of its own, which tells who leads. */
  private attempt(
    attempts: number,
    stream: OurStream,
    batch: readonly OutgoingEvent[],
    expected: ExpectedRevision,
  ): Promise<Appended> {
    const name = this.names.nameOf(stream);
    return attempts === 1 && this.settings.appendsTogether && this.together.isReady
      ? this.together.append(name, batch, expected)
      : this.alone(name, batch, expected);
  }

  /** The client takes its time before the call begins (discovery), which its deadline does not count. */
  private alone(name: string, batch: readonly OutgoingEvent[], expected: ExpectedRevision): Promise<Appended> {
    const { attemptTimeoutMs } = this.patience;
    const call = this.client.appendToStream(name, batch.map(eventData), {
      expectedRevision: expected === 'no_stream' ? expected : BigInt(expected),
      credentials: this.settings.credentials,
      deadline: attemptTimeoutMs,
      requiresLeader: true,
    });
    return new Promise((resolve, reject) => {
      const late = (): void =>
        reject(Object.assign(new Error(`no answer in ${attemptTimeoutMs} ms`), { type: 'deadline-exceeded' }));
      const timer = setTimeout(late, attemptTimeoutMs + DEADLINE_SLACK_MS);
      const told = call.then(({ nextExpectedRevision, position }) => ({
        revision: Number(nextExpectedRevision),
        commit: position && positionOf(position.commit),
      }));
      told.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }
}

const deleted = (stream: OurStream, revision: number): HubError =>
  new HubError('EVENT_STORE.FAILED', `${stream} was deleted on the server: its revisions went on to ${revision}`);

/** What is sent, now and again. */
const batchOf = (stream: OurStream, events: readonly CopiedEvent[]): OutgoingEvent[] => {
  const batch = events.map(outgoingOf);
  const bytes = batch.reduce(
    (sum, { json, metadata }) => sum + Buffer.byteLength(json) + Buffer.byteLength(metadata),
    0,
  );
  if (bytes > MAX_APPEND_BYTES)
    throw new HubError('EVENT_STORE.TOO_LARGE', `${stream}: an append of ${bytes} bytes, at most ${MAX_APPEND_BYTES}`, {
      facts: { stream, bytes },
    });
  return batch;
};

const actualOf = (error: unknown): number => {
  const { actualVersion } = error as { actualVersion?: bigint | string };
  return typeof actualVersion === 'bigint' ? Number(actualVersion) : -1;
};
