import type { ErasureRequested } from '#libs/domain';
import type { Uuid } from '#libs/kernel';

/** What is known of a customer that is to be forgotten. */
export type FoundForErasure = Pick<
  ErasureRequested['data'],
  'identities' | 'links' | 'conversations' | 'contacts' | 'events' | 'rows'
>;

/** What somebody is called, normalised. */
export interface ErasedIdentifier {
  type: string;
  value: string;
}

/** Tells what there is of a customer, and when it is gone. */
export abstract class ErasableCustomers {
  /**
   * Everything of a customer, once the whole log is shown; the erasure of one that is erased already.
   * @throws HubError `CUSTOMER.NOT_FOUND`; `READ_MODEL.BEHIND`, retryable
   */
  abstract find(tenant: string, id: string): Promise<FoundForErasure | { erasure: Uuid }>;

  /** Identifiers of these identities; of erased ones nothing is known. */
  abstract identifiersOf(identities: readonly Uuid[]): Promise<ErasedIdentifier[]>;

  /** Whether the read model, and what else follows the log, has come to a position within `timeoutMs`. */
  abstract shows(position: number, timeoutMs: number): Promise<boolean>;
}

/** The files that hold what was deleted for a while. */
export abstract class DeletedData {
  /**
   * Has every file let go of what was deleted in it.
   * @returns their names, and whether any of them was too busy for that: then say it again
   */
  abstract scrub(): Promise<{ files: string[]; complete: boolean }>;
}

/** Lets one erasure be carried out at a time, whichever program does it: two of one customer would find each other's work half done. */
export abstract class ErasureTurns {
  abstract alone<T>(work: () => Promise<T>): Promise<T>;
}

/** Where one program alone erases. */
export class OwnTurns extends ErasureTurns {
  private running: Promise<unknown> = Promise.resolve();

  alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.running.then(work);
    this.running = result.catch(() => undefined);
    return result;
  }
}
