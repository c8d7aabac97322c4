import { Worker } from 'node:worker_threads';
import type { Position, StoredEvent } from '#libs/event-store';
import type { EventStoreSet } from '#libs/event-store/open-event-store.js';
import { HubError, codeOf, isRetryable, messageOf } from '#libs/kernel';
import type { ProjectionProgress } from '#libs/projections';
import { packEvents, type HandOver } from '#libs/projections/projector/hand-over.js';
import type { FromProjector, ProjectorData, ToProjector } from './projector.protocol.js';

/** Heap bound of the projector thread; its caches are bounded well below. */
const MAX_HEAP_MB = 96;

/** How long commits are gathered before the thread hears of them, and how long while there are many. */
const GATHER_MS = 2;
const GATHER_MANY_MS = 40;
const MANY_EVENTS = 100;

/** Characters handed over and not yet folded; beyond them the thread reads from the log, which holds nothing in memory. */
const MAX_AHEAD_CHARS = 4 * 1024 * 1024;

/** Runs projections and identity resolver in a thread of their own, so that folding never holds up an answer. */
export class ProjectorHost {
  private readonly worker: Worker;
  private readonly unlisten: () => void;
  private readonly exited: Promise<void>;
  private stopping = false;
  /** What the thread has not heard of yet. */
  private gathered: { after: Position; through: Position; packs: string[]; chars: number; events: number } | undefined;
  private gatherMs = GATHER_MS;
  /** What was handed over and is not folded yet. */
  private ahead: { through: Position; chars: number }[] = [];
  private aheadChars = 0;

  constructor(
    private readonly store: EventStoreSet,
    progress: ProjectionProgress,
    data: ProjectorData,
    private readonly onFailure: (error: Error) => void,
    /** End of the log before anything is appended. */
    private head: Position,
  ) {
    const { appended } = store;
    if (!appended)
      throw new HubError('SETTINGS.INVALID', 'HILO_EVENT_STORE_URL: a hub follows its own appends alone; use sqlite:');
    this.worker = new Worker(new URL('./projector.worker.js', import.meta.url), {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB, maxYoungGenerationSizeMb: 16 },
    });
    this.worker.on('message', (message: FromProjector) => {
      switch (message.type) {
        case 'advance':
          this.settle(message.position);
          progress.advance(message);
          return;
        case 'append':
          void this.append(message);
          return;
        case 'failed':
          this.onFailure(new HubError(message.code, `the projector stopped: ${message.message}`));
      }
    });
    this.worker.on('error', (error: unknown) =>
      this.onFailure(
        new HubError(
          codeOf(error) ?? 'PROJECTOR.FAILED',
          `the projector failed: ${codeOf(error) ?? ''} ${describe(error)}`,
        ),
      ),
    );
    this.exited = new Promise((resolve) => {
      this.worker.once('exit', (code) => {
        if (!this.stopping)
          this.onFailure(new HubError('PROJECTOR.EXITED', `the projector thread ended with code ${code}`));
        resolve();
      });
    });
    this.unlisten = appended.onAppended((events) => this.gather(events));
  }

  // A wake-up for every commit would cost single posts more than the folding itself: a few of them share one.
  private gather(events: readonly StoredEvent[]): void {
    const gathered = (this.gathered ??= this.startGathering());
    if (this.aheadChars + gathered.chars < MAX_AHEAD_CHARS) {
      const pack = packEvents(events);
      gathered.packs.push(pack);
      gathered.chars += pack.length;
    } else gathered.chars = Number.POSITIVE_INFINITY;
    gathered.events += events.length;
    gathered.through = this.head = events.at(-1)!.position;
  }

  private startGathering() {
    setTimeout(() => this.handOver(), this.gatherMs);
    return { after: this.head, through: this.head, packs: [], chars: 0, events: 0 };
  }

  private handOver(): void {
    const { after, through, packs, chars, events } = this.gathered!;
    this.gathered = undefined;
    this.gatherMs = events > MANY_EVENTS ? GATHER_MANY_MS : GATHER_MS;
    if (chars === Number.POSITIVE_INFINITY) return this.send({ type: 'head', position: through });
    this.ahead.push({ through, chars });
    this.aheadChars += chars;
    this.send({ type: 'events', events: { after, through, packs } satisfies HandOver });
  }

  private settle(folded: Position): void {
    while (this.ahead[0] && this.ahead[0].through <= folded) this.aheadChars -= this.ahead.shift()!.chars;
  }

  /** Resolves when the running batch is folded and its files are closed. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.unlisten();
    this.send({ type: 'stop' });
    await this.exited;
  }

  private async append({ call, stream, events, expected }: Extract<FromProjector, { type: 'append' }>): Promise<void> {
    try {
      this.send({ type: 'appended', call, receipt: await this.store.events.append(stream, events, expected) });
    } catch (error) {
      this.send({
        type: 'appended',
        call,
        error: {
          code: codeOf(error) ?? 'EVENT_STORE.FAILED',
          message: messageOf(error),
          retryable: isRetryable(error),
        },
      });
    }
  }

  private send(message: ToProjector): void {
    this.worker.postMessage(message);
  }
}

// An engine's error crosses the thread as a plain object, without its message.
const describe = (error: unknown): string => (error instanceof Error ? error.message : JSON.stringify(error));
