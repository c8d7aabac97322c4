/** Facts that name what an error is about; printed beside the message, so no personal data. */
export type ErrorFacts = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface HubErrorOptions {
  /** Whether the same call may succeed later without a change of input. @default false */
  retryable?: boolean;
  facts?: ErrorFacts;
  cause?: unknown;
}

/**
 * The one error type of the hub. Callers compare `code` (`ROOM.REASON`), never the class: `instanceof` does not
 * survive threads and wires.
 */
export class HubError extends Error {
  readonly retryable: boolean;
  readonly facts: ErrorFacts;

  constructor(
    readonly code: string,
    message: string,
    options: HubErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HubError';
    this.retryable = options.retryable ?? false;
    this.facts = options.facts ?? {};
  }
}

/** The `code` of any thrown value: a `HubError`'s, a Node system error's, or undefined. */
export const codeOf = (error: unknown): string | undefined => {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
};

/** Whether a thrown value says that trying again later may help. */
export const isRetryable = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'retryable' in error && error.retryable === true;

/** The message of any thrown value. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
