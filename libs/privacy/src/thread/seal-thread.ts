import type { EventEmitter } from 'node:events';
import { Worker } from 'node:worker_threads';
import { HubError } from '#libs/kernel';
import type { SqliteValue } from '#libs/kernel/sqlite.js';
import { KEY_BYTES } from '../master-key/master-key.js';
import { sealText, type SealJob } from '../seal/seal-texts.js';
import {
  packParameters,
  type FromSealThread,
  type SealAnswer,
  type SealRequest,
  type SqlAnswer,
  type ToSealThread,
} from './seal-thread.protocol.js';

/** Heap bound of the thread, which keeps nothing from one request to the next. */
const HEAP = { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 8 };

/** Fewer texts than these are sealed at once: the way over there and back would take longer. */
const WORTHWHILE = 8;

type Port = EventEmitter & { postMessage(message: ToSealThread): void };

/**
 * A thread that seals and keeps the file of the keys, so that ciphers and syncs hold up no request. Who may seal with
 * which key is decided here, on this side: the thread is given the key with every text and remembers none.
 */
export class SealThread {
  private readonly calls = new Map<number, { resolve: (answer: SealAnswer) => void; reject: (error: Error) => void }>();
  private last = 0;
  private ended: HubError | undefined;
  private closing: Promise<SealAnswer> | undefined;

  /** @param onFailure hears once that the thread has died; whatever is asked of it is refused from then on */
  constructor(
    private readonly port: Port,
    private readonly onFailure: (error: Error) => void,
  ) {
    port.on('message', (message: FromSealThread) => this.settle(message));
    port.on('error', (error: Error) => this.fail(error.message));
    port.on('exit', (code: number) => this.fail(`it ended with code ${code}`));
  }

  static start(onFailure: (error: Error) => void): SealThread {
    const file = new URL('./seal-thread.worker.js', import.meta.url);
    return new SealThread(new Worker(file, { resourceLimits: HEAP }), onFailure);
  }

  /** Seals texts, in their order: few of them here, many over there. */
  readonly seal = (jobs: readonly SealJob[]): Promise<string[]> | string[] => {
    if (jobs.length < WORTHWHILE) return jobs.map(sealText);
    const secrets = Buffer.alloc(jobs.length * KEY_BYTES);
    jobs.forEach(({ secret }, i) => secret.copy(secrets, i * KEY_BYTES));
    return this.ask({
      type: 'seal',
      secrets,
      versions: jobs.map(({ version }) => version),
      bounds: jobs.map(({ bound }) => bound),
      texts: jobs.map(({ text }) => text),
    }) as Promise<string[]>;
  };

  async open(file: string): Promise<void> {
    await this.ask({ type: 'open', file });
  }

  async exec(sql: string): Promise<void> {
    await this.ask({ type: 'exec', sql });
  }

  query(sql: string, parameters: readonly SqliteValue[]): Promise<SqlAnswer> {
    return this.ask({ type: 'query', sql, ...packParameters(parameters) }) as Promise<SqlAnswer>;
  }

  /** Closes the file and ends the thread, after everything asked before. May be said again. */
  async close(): Promise<void> {
    await (this.closing ??= this.ask({ type: 'close' }));
  }

  private ask(request: SealRequest): Promise<SealAnswer> {
    if (this.ended) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => {
      this.calls.set(++this.last, { resolve, reject });
      this.port.postMessage({ ...request, call: this.last });
    });
  }

  private settle(message: FromSealThread): void {
    const call = this.calls.get(message.call);
    if (!call) return; // refused when the thread died
    this.calls.delete(message.call);
    if ('answer' in message) call.resolve(message.answer);
    // Under the code of the engine: what becomes of it depends on that.
    else call.reject(Object.assign(new Error(message.error.message), { code: message.error.code }));
  }

  private fail(how: string): void {
    if (this.ended) return;
    this.ended = new HubError('KEY_VAULT.FAILED', `the sealing thread failed: ${how}`);
    for (const { reject } of this.calls.values()) reject(this.ended);
    this.calls.clear();
    if (!this.closing) this.onFailure(this.ended);
  }
}
