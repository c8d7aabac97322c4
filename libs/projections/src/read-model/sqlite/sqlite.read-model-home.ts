import { existsSync, renameSync, rmSync } from 'node:fs';
import { discardUnusable } from '../discard-unusable.js';
import { ReadModelHome } from '../read-model-home.port.js';
import { READ_MODEL_VERSION } from '../read-model.port.js';
import { SqliteReadModel } from './sqlite.read-model.js';

/** A file of the data directory. Who replaces it has the directory to itself. */
export class SqliteReadModelHome extends ReadModelHome {
  private readonly next: string;

  constructor(private readonly file: string) {
    super();
    this.next = file.replace(/\.db$/, `.next-${READ_MODEL_VERSION}.db`);
  }

  async open(options: { readonly?: boolean } = {}): Promise<SqliteReadModel> {
    return SqliteReadModel.open({ file: this.file, ...options });
  }

  async exists(): Promise<boolean> {
    return existsSync(this.file);
  }

  async discardUnusable(head: number): Promise<string | undefined> {
    return discardUnusable(this.file, head);
  }

  async openNext({ caughtUp = false } = {}): Promise<SqliteReadModel> {
    return SqliteReadModel.open({ file: this.next, bulk: !caughtUp, cacheKiB: 16_384 });
  }

  async replace(): Promise<void> {
    for (const end of ['-wal', '-shm']) {
      rmSync(this.file + end, { force: true });
      rmSync(this.next + end, { force: true });
    }
    renameSync(this.next, this.file);
  }
}
