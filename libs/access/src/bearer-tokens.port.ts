import type { Caller } from './caller.js';

/** Tokens that somebody else has issued and that prove who is calling. */
export abstract class BearerTokens {
  /**
   * The caller a token stands for, or undefined for every token that cannot be verified, for whatever reason: a caller
   * learns no more than that. Never throws.
   */
  abstract verify(token: string): Caller | undefined | Promise<Caller | undefined>;
}
