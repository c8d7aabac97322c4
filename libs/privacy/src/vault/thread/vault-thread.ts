import type { EventEmitter } from 'node:events';
import { Worker } from 'node:worker_threads';
import { HubError } from '#libs/kernel';
import type { SqliteValue } from '#libs/kernel/sqlite.js';
import {
  packParameters,
  type FromVaultThread,
  type VaultAnswer,
  type VaultRequest,
  type SqlAnswer,
  type ToVaultThread,
} from './vault-thread.protocol.js';

/** Heap bound of the thread, which keeps nothing from one request to the next. */
const HEAP = { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 8 };

type Port = EventEmitter & { postMessage(message: ToVaultThread): void };

/**
 * A thread that keeps the file of the keys, so that its syncs hold up no request. Keys are made, wrapped and
 * remembered on this side.
 */
export class VaultThread {
  private readonly calls = new Map<
    number,
    { resolve: (answer: VaultAnswer) => void; reject: (error: Error) => void }
  >();
  private last = 0;
  private ended: HubError | undefined;
  private closing: Promise<VaultAnswer> | undefined;

  /** @param onFailure hears once that the thread has died; whatever is asked of it is refused from then on */
  constructor(
    private readonly port: Port,
    private readonly onFailure: (error: Error) => void,
  ) {
    port.on('message', (message: FromVaultThread) => this.settle(message));
    port.on('error', (error: Error) => this.fail(error.message));
    port.on('exit', (code: number) => this.fail(`it ended with code ${code}`));
  }

  static start(onFailure: (error: Error) => void): VaultThread {
    const file = new URL('./vault-thread.worker.js', import.meta.url);
    return new VaultThread(new Worker(file, { resourceLimits: HEAP }), onFailure);
  }

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

  private ask(request: VaultRequest): Promise<VaultAnswer> {
    if (this.ended) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => {
      this.calls.set(++this.last, { resolve, reject });
      this.port.postMessage({ ...request, call: this.last });
    });
  }

  private settle(message: FromVaultThread): void {
    const call = this.calls.get(message.call);
    if (!call) return; // refused when the thread died
    this.calls.delete(message.call);
    if ('answer' in message) call.resolve(message.answer);
    // Under the code of the engine: what becomes of it depends on that.
    else call.reject(Object.assign(new Error(message.error.message), { code: message.error.code }));
  }

  private fail(how: string): void {
    if (this.ended) return;
    this.ended = new HubError('KEY_VAULT.FAILED', `the thread of the key vault failed: ${how}`);
    for (const { reject } of this.calls.values()) reject(this.ended);
    this.calls.clear();
    if (!this.closing) this.onFailure(this.ended);
  }
}
