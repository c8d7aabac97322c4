import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { IDENTITY_FILE, IdentityResolver } from '#libs/commands/identity-resolver/identity-resolver.js';
import type { NewEvent } from '#libs/event-store';
import { IdFactory, HubError, SystemClock, UuidSet, messageOf, codeOf } from '#libs/kernel';
import { openTracing } from '#libs/kernel/tracing/open-tracing.js';
import { openSealedEventLog } from '#libs/privacy/open-sealed-event-store.js';
import { LogFollower, type LogReader } from '#libs/projections/projector/log-follower.js';
import { tracedReader } from '#libs/projections/projector/traced-reader.js';
import { Projector } from '#libs/projections/projector/projector.js';
import { openReadModel } from '#libs/projections/read-model/open-read-model.js';
import type { FromProjector, ProjectorData, ToProjector } from './projector.protocol.js';

const port = parentPort!;
const data = workerData as ProjectorData;
const { dataDir, rules } = data;
const send = (message: FromProjector) => port.postMessage(message);

const pending = new Map<
  number,
  { resolve: (r: { position: number; revision: number }) => void; reject: (e: Error) => void }
>();
let calls = 0;
/** Position of the newest link event appended for the running batch. */
let newestLink = 0;

// Whoever started this thread tells of a collector that does not answer.
const tracing = await openTracing(process.env, 'hub');
const log = await openSealedEventLog({ ...data, eventStoreUrl: 'sqlite:' });
// From here on the log says what is erased.
const erased = new UuidSet();
for (const id of log.erased) erased.add(id);
const readModel = await openReadModel(data);
const projector = new Projector(readModel, log);
const resolver = IdentityResolver.open({
  file: join(dataDir, IDENTITY_FILE),
  ids: new IdFactory(readFileSync(join(dataDir, 'pepper'))),
  erased,
  rules,
  // The hub's main thread is the one writer of the log.
  append: (stream, events: readonly NewEvent[], expected) =>
    new Promise((resolve, reject) => {
      pending.set(++calls, { resolve, reject });
      send({ type: 'append', call: calls, stream, events: [...events], expected });
    }),
});

// A batch counts as shown once the links that follow from it are folded too: whoever asks for `atLeast` its position
// finds it under the customer it belongs to.
const awaited: { position: number; links: number; corrected: number[] }[] = [];
let folded = await projector.checkpoint();
let corrected: number[] = [];

const announce = () => {
  while (awaited[0] && awaited[0].links <= folded) {
    const batch = awaited.shift()!;
    send({ type: 'advance', position: batch.position, corrected: batch.corrected });
  }
};

const folding: LogReader = {
  checkpoint: () => projector.checkpoint(),
  apply: async (events) => {
    corrected = await projector.apply(events);
    folded = events.at(-1)!.position;
    // A read model that is folded anew follows a resolver that has been here before.
    if ((await resolver.checkpoint()) >= folded) {
      awaited.push({ position: folded, links: 0, corrected });
      announce();
    }
  },
};

const resolving: LogReader = {
  checkpoint: () => resolver.checkpoint(),
  apply: async (events) => {
    newestLink = 0;
    await resolver.apply(events);
    awaited.push({ position: events.at(-1)!.position, links: newestLink, corrected });
    announce();
  },
};

send({ type: 'advance', position: Math.min(folded, await resolver.checkpoint()), corrected: [] });
const follower = new LogFollower(log, [
  tracing ? tracedReader(folding, tracing, new SystemClock()) : folding,
  resolving,
]);

const stop = async (): Promise<void> => {
  // A follower that failed has said so already; the files are closed all the same.
  await follower.stop().catch(() => undefined);
  await readModel.close();
  await resolver.close();
  await log.close();
  await tracing?.close();
  port.close();
};

port.on('message', (message: ToProjector) => {
  switch (message.type) {
    case 'head':
      follower.wake(message.position);
      return;
    case 'events':
      follower.offer(message.events);
      return;
    case 'appended': {
      const call = pending.get(message.call)!;
      pending.delete(message.call);
      if ('receipt' in message) {
        newestLink = Math.max(newestLink, message.receipt.position);
        call.resolve(message.receipt);
      } else
        call.reject(new HubError(message.error.code, message.error.message, { retryable: message.error.retryable }));
      return;
    }
    case 'stop':
      void stop();
  }
});

follower.done.catch((error: unknown) => {
  send({ type: 'failed', code: codeOf(error) ?? 'PROJECTOR.FAILED', message: messageOf(error) });
});
