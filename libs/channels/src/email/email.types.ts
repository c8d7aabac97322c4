/** What the edge knows about a mail besides its bytes. */
export interface MailContext {
  /** Name of the account it was delivered to. */
  account: string;
  /** Epoch milliseconds, our clock. */
  receivedAtMs: number;
  /** Whether an address is one of ours. */
  isOwn(address: string): boolean;
  /** The envelope's return path was empty: machines send so. @default false */
  nullSender?: boolean;
}
