import type { ReadModel } from './read-model.port.js';

/** A read model that is folded from the first event: its timeline and secondary indexes wait for `finishBulk`. */
export interface BulkReadModel extends ReadModel {
  /** After it, others may read. Called again after more was folded, it does it again. */
  finishBulk(): void | Promise<void>;
}

/** What holds deleted rows for a while. */
export interface DeletedRows {
  /** For the certificate of an erasure. */
  readonly name: string;
  /**
   * Leaves nothing in its files of what was deleted before this call.
   * @returns whether that is done; somebody may have kept it from that for the moment: then call it again
   */
  scrub(): Promise<boolean>;
}

/** Where a read model lives, with room beside it for the one that is to take its place. */
export abstract class ReadModelHome {
  /** Absent for a file of the data directory, which is scrubbed with the others there. */
  readonly deletedRows?: DeletedRows;

  /** @throws HubError `READ_MODEL.UNAVAILABLE`, retryable; with `readonly` also where there is none */
  abstract open(options?: { readonly?: boolean }): Promise<ReadModel>;

  /** Whether one was ever opened here for writing. */
  abstract exists(): Promise<boolean>;

  /**
   * Removes a read model that cannot go on from where it is: of another shape, or ahead of a log that was put back to
   * an older state. It is derived, so the projector folds it anew. Call it before anybody has it open.
   * @returns why it was removed
   */
  abstract discardUnusable(head: number): Promise<string | undefined>;

  /** The next generation, as far as it was folded. @param caughtUp it is finished, and folded on event by event */
  abstract openNext(options?: { caughtUp?: boolean }): Promise<BulkReadModel>;

  /**
   * Puts the next generation in the place of this one. Where this one is moved on meanwhile, it is held still for the last
   * step.
   * @param catchUp folds the next generation up to the end of the log; called once or several times
   */
  abstract replace(catchUp: () => Promise<void>): Promise<void>;
}
