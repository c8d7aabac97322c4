import { EventStoreDBClient, type Credentials } from '@eventstore/db-client';
import grpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { CallOptions, Metadata } from '@grpc/grpc-js';
import { readAnswer, type AppendAnswer } from './append-messages.js';

/** One call that carries appends and their answers. */
export interface BatchAppendCall {
  /** @param append a `BatchAppendReq` as it is sent */
  write(append: Buffer): void;
  onAnswer(hear: (answer: AppendAnswer) => void): void;
  cancel(): void;
}

/** Of the client, beside its types. */
interface Internals {
  handleError(client: StreamsClient, error: Error): Promise<void>;
  getGRPCClient(service: typeof StreamsClient, name: string): Promise<StreamsClient>;
  callArguments(
    options: { credentials: Credentials; requiresLeader: boolean },
    callOptions: { deadline: number },
  ): [metadata: Metadata, options: Partial<CallOptions>];
}

/**
 * The client of a connection string, without its habit of ending the program (6.2.1): a call that fails on a lost connection
 * waits for the search for another node, which nobody catches when the search fails too, as in an election.
 */
export const connectClient = (connectionString: string): EventStoreDBClient => {
  const client = EventStoreDBClient.connectionString(connectionString);
  const internals = internalsOf(client);
  const handleError = internals.handleError.bind(client);
  // The call itself has been rejected already, and the next one searches again.
  internals.handleError = (...failure) => handleError(...failure).catch(() => undefined);
  return client;
};

/**
 * Opens a call for appends on the client's connection, at the leader. It has no deadline.
 * @param onEnd hears once why it ended, also without an error; the client has begun to look for another node then
 */
export const openBatchAppend = async (
  client: EventStoreDBClient,
  credentials: Credentials,
  onEnd: (reason: Error) => void,
): Promise<BatchAppendCall> => {
  const internals = internalsOf(client);
  const connection = await internals.getGRPCClient(grpc.StreamsClient, 'batchAppend');
  const call = connection.makeBidiStreamRequest(
    grpc.StreamsService.batchAppend.path,
    (append: Buffer) => append,
    readAnswer,
    ...internals.callArguments({ credentials, requiresLeader: true }, { deadline: Infinity }),
  );
  let asked = false;
  let ended = false;
  const end = (reason: Error): void => {
    if (!ended) onEnd(reason);
    ended = true;
  };
  call.on('error', (error) => {
    if (!asked) void internals.handleError(connection, error);
    end(error);
  });
  call.on('end', () => end(new Error('the server has ended the call')));
  return {
    write: (append) => void call.write(append),
    onAnswer: (hear) => void call.on('data', hear),
    cancel: () => {
      asked = true;
      call.cancel();
    },
  };
};

const internalsOf = (client: EventStoreDBClient): Internals => client as unknown as Internals;
