import { Worker } from 'node:worker_threads';
import type { EventStoreSet } from '#libs/event-store/open-event-store.js';
import { HubError, codeOf, isRetryable, messageOf } from '#libs/kernel';
import type { ProjectionProgress } from '#libs/projections';
import type { FromProjector, ProjectorData, ToProjector } from './projector.protocol.js';

/** Heap bound of the projector thread; its caches are bounded well below. */
const MAX_HEAP_MB = 96;

/** How long commits are gathered before the thread hears of them. */
const GATHER_MS = 3;

/** Runs projections and identity resolver in a thread of their own, so that folding never holds up an answer. */
export class ProjectorHost {
  private readonly worker: Worker;
  private readonly unlisten: () => void;
  private readonly exited: Promise<void>;
  private stopping = false;
  /** Head of the log that the thread has not heard of yet. */
  private newest: number | undefined;

  constructor(
    private readonly store: EventStoreSet,
    progress: ProjectionProgress,
    data: ProjectorData,
    private readonly onFailure: (error: Error) => void,
  ) {
    this.worker = new Worker(new URL('./projector.worker.js', import.meta.url), {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB, maxYoungGenerationSizeMb: 16 },
    });
    this.worker.on('message', (message: FromProjector) => {
      switch (message.type) {
        case 'advance':
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
    this.unlisten = store.onCommit((position) => this.announce(position));
  }

  // A wake-up for every commit would cost single posts more than the folding itself: a few of them share one.
  private announce(position: number): void {
    if (this.newest === undefined)
      setTimeout(() => {
        this.send({ type: 'head', position: this.newest! });
        this.newest = undefined;
      }, GATHER_MS);
    this.newest = position;
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
