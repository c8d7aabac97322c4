import { isStorageFailure, type SqliteDatabase } from '#libs/kernel/sqlite.js';
import { groupFailure, storeClosed } from '../event-store.errors.js';

export interface GroupWork<T> {
  /** Runs inside the group's transaction; what it throws rejects this work alone. */
  run: () => T;
  /** Whether a throw must undo what `run` wrote before it, by a savepoint. @default false */
  undoAlone?: boolean;
  /** Called after the commit and before any promise of the group resolves. */
  committed?: (value: T) => void;
  /** Called when what `run` wrote was undone; memory kept beside the file goes back to what the file says. */
  undone?: () => void;
}

interface QueuedWork {
  work: GroupWork<unknown>;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/**
 * The one writer of a file: everything enqueued in one turn of the event loop shares a transaction and a sync, and is
 * answered after the commit. A write that fails for want of space or device undoes and rejects the whole group.
 */
export class GroupCommit {
  private queue: QueuedWork[] = [];
  private closed = false;

  constructor(
    private readonly db: SqliteDatabase,
    private readonly file: string,
  ) {}

  enqueue<T>(work: GroupWork<T>): Promise<T> {
    if (this.closed) return Promise.reject(storeClosed());
    return new Promise<T>((resolve, reject) => {
      if (this.queue.length === 0) setImmediate(() => this.flush());
      this.queue.push({ work: work as GroupWork<unknown>, resolve: resolve as (value: unknown) => void, reject });
    });
  }

  /** Commits what is queued at once; nothing can be enqueued afterwards. */
  close(): void {
    this.closed = true;
    this.flush();
  }

  private flush(): void {
    const group = this.queue;
    if (group.length === 0) return;
    this.queue = [];
    const done: { queued: QueuedWork; value: unknown }[] = [];
    // What is alone in its transaction needs no savepoint to be undone alone.
    const alone = group.length === 1;
    let refusal: { error: unknown } | undefined;
    try {
      this.db.transaction(() => {
        for (const queued of group) {
          try {
            const { work } = queued;
            done.push({ queued, value: work.undoAlone && !alone ? this.runUndoable(work) : work.run() });
          } catch (error) {
            if (isStorageFailure(error)) throw error;
            if (alone && queued.work.undoAlone) {
              refusal = { error };
              throw error;
            }
            queued.reject(error);
          }
        }
      });
    } catch (error) {
      for (const { work } of group) work.undone?.();
      const failure = refusal ? refusal.error : groupFailure(this.file, error);
      for (const { reject } of group) reject(failure);
      return;
    }
    for (const { queued, value } of done) queued.work.committed?.(value);
    for (const { queued, value } of done) queued.resolve(value);
  }

  private runUndoable(work: GroupWork<unknown>): unknown {
    this.db.prepare('SAVEPOINT work').run([]);
    try {
      const value = work.run();
      this.db.prepare('RELEASE work').run([]);
      return value;
    } catch (error) {
      if (isStorageFailure(error)) throw error; // the transaction may be gone, and the savepoint with it
      this.db.prepare('ROLLBACK TO work').run([]);
      this.db.prepare('RELEASE work').run([]);
      work.undone?.();
      throw error;
    }
  }
}
