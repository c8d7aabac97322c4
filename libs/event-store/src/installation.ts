/** Values that are kept with the log itself, so that what lies beside it cannot be exchanged unnoticed. */
export interface Installation {
  recall(name: string): Promise<string | undefined>;
  /**
   * Keeps a value under a name that has none yet; durable when it resolves.
   * @returns what is kept: another value, where that came first
   */
  keep(name: string, value: string): Promise<string>;
}

/** Fingerprint of the pepper under which all ids of the log were derived. */
export const PEPPER = 'pepper';

/** The vault that the log was sealed with. */
export const KEY_VAULT = 'key vault';

/** Tells the copy that a log on a server is, or becomes, from every other. */
export const COPY = 'copy';
