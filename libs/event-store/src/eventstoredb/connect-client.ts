import { EventStoreDBClient } from '@eventstore/db-client';

/** Of the client, beside its types. */
interface Internals {
  handleError(...failure: unknown[]): Promise<void>;
}

/**
 * The client of a connection string, without its habit of ending the program (6.2.1): a call that fails on a lost connection
 * waits for the search for another node, which nobody catches when the search fails too, as in an election.
 */
export const connectClient = (connectionString: string): EventStoreDBClient => {
  const client = EventStoreDBClient.connectionString(connectionString);
  const internals = client as unknown as Internals;
  const handleError = internals.handleError.bind(client);
  // The call itself has been rejected already, and the next one searches again.
  internals.handleError = (...failure) => handleError(...failure).catch(() => undefined);
  return client;
};
