import { randomUUID } from 'node:crypto';
import type { EventStoreDBClient } from '@eventstore/db-client';
import type { ExpectedRevision } from '../event-store.port.js';
import { appendRequest, type AppendAnswer, type Appended } from './append-messages.js';
import { openBatchAppend, type BatchAppendCall } from './connect-client.js';
import type { ConnectionSettings } from './connection-settings.js';
import { describeFailure } from './failures.js';
import type { OutgoingEvent } from './records.js';

/** How long after the end of a call no other is begun: what is appended meanwhile is sent one by one. */
const REST_MS = 1000;

interface Pending {
  resolve: (appended: Appended) => void;
  reject: (error: unknown) => void;
  /** When it was taken, on the clock of `performance.now()`. */
  since: number;
}

/**
 * Many appends on one call, each with its own answer: a call for each costs several times what the append does.
 *
 * It says what the server said, and settles nothing itself: an append that was not answered, whose call has ended, or that
 * the server could not decide rejects, and is to be sent again on a call of its own. The way of the client to do this
 * (`appendToStream` without credentials) is not used: its appends have no deadline, and those of all clients of a program
 * fail together.
 */
export class AppendStream {
  /** By the ids they were sent under, the oldest first. */
  private readonly pending = new Map<string, Pending>();
  private opening: Promise<void> | undefined;
  private call: BatchAppendCall | undefined;
  /** Counts calls, so that what an earlier one still says is not taken for news of this one. */
  private generation = 0;
  private restUntil = 0;
  /** One for all: it comes when the oldest may have waited too long. */
  private watch: NodeJS.Timeout | undefined;

  /** @param timeoutMs milliseconds without an answer after which the call is given up, with all that wait on it */
  constructor(
    private readonly client: EventStoreDBClient,
    private readonly credentials: ConnectionSettings['credentials'],
    private readonly timeoutMs: number,
  ) {}

  /** Not for a while after a call has ended. */
  get isReady(): boolean {
    return performance.now() >= this.restUntil;
  }

  /** Sends an append behind those before it. */
  append(name: string, events: readonly OutgoingEvent[], expected: ExpectedRevision): Promise<Appended> {
    return new Promise((resolve, reject) => {
      const id = randomUUID();
      this.pending.set(id, { resolve, reject, since: performance.now() });
      this.watch ??= setTimeout(this.look, this.timeoutMs);
      const request = appendRequest(id, name, events, expected);
      if (this.call) this.call.write(request);
      else {
        const { generation } = this;
        this.opening ??= this.open(generation);
        this.opening.then(
          () => {
            // Another call may be open by now, and the append given up with the one before it.
            if (this.pending.has(id)) this.call?.write(request);
          },
          (error: unknown) => this.end(generation, lost(error)),
        );
      }
    });
  }

  /** What was not answered rejects. */
  close(): void {
    this.end(this.generation, Object.assign(new Error('the store is closed'), { type: 'cancelled' }));
  }

  private async open(generation: number): Promise<void> {
    const call = await openBatchAppend(this.client, this.credentials, (error) => this.end(generation, lost(error)));
    if (generation !== this.generation) return call.cancel();
    call.onAnswer((answer) => this.answer(answer));
    this.call = call;
  }

  private answer(answer: AppendAnswer): void {
    const waiting = this.pending.get(answer.id);
    if (!waiting) return;
    this.pending.delete(answer.id);
    if ('appended' in answer) waiting.resolve(answer.appended);
    else waiting.reject(answer.failure);
  }

  private readonly look = (): void => {
    this.watch = undefined;
    const [oldest] = this.pending.values();
    if (!oldest) return;
    const leftMs = oldest.since + this.timeoutMs - performance.now();
    if (leftMs > 0) this.watch = setTimeout(this.look, leftMs);
    else {
      const silent = new Error(`no answer in ${this.timeoutMs} ms`);
      this.end(this.generation, Object.assign(silent, { type: 'deadline-exceeded' }));
    }
  };

  private end(generation: number, reason: unknown): void {
    if (generation !== this.generation) return;
    this.generation += 1;
    this.restUntil = performance.now() + REST_MS;
    clearTimeout(this.watch);
    this.watch = undefined;
    this.call?.cancel();
    this.call = undefined;
    this.opening = undefined;
    const waiting = [...this.pending.values()];
    this.pending.clear();
    for (const { reject } of waiting) reject(reason);
  }
}

/** Why a call ended says nothing of what it carried. */
const lost = (cause: unknown): Error =>
  Object.assign(new Error(`the call ended: ${describeFailure(cause)}`, { cause }), { type: 'unavailable' });
