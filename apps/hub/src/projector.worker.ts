import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { IDENTITY_FILE } from '#libs/commands/identity-resolver/identity-resolver.js';
import { openResolver } from '#libs/commands/identity-resolver/open-resolver.js';
import type { NewEvent } from '#libs/event-store';
import { IdFactory, HubError, SystemClock, UuidSet, messageOf, codeOf } from '#libs/kernel';
import { openTracing } from '#libs/kernel/tracing/open-tracing.js';
import { openSealedEventLog } from '#libs/privacy/open-sealed-event-store.js';
import { LogFollower } from '#libs/projections/projector/log-follower.js';
import { Projector } from '#libs/projections/projector/projector.js';
import { ShownReader } from '#libs/projections/projector/shown-reader.js';
import { tracedReader } from '#libs/projections/projector/traced-reader.js';
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

// Whoever started this thread tells of a collector that does not answer.
const tracing = await openTracing(process.env, 'hub');
const log = await openSealedEventLog({ ...data, eventStoreUrl: 'sqlite:' });
// From here on the log says what is erased.
const erased = new UuidSet();
for (const id of log.erased) erased.add(id);
const readModel = await openReadModel(data);
const projector = new Projector(readModel, log);
const resolver = await openResolver(
  {
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
  },
  await log.head(),
);

const reader = new ShownReader(projector, resolver, (advance) => send({ type: 'advance', ...advance }));
send({ type: 'advance', position: await reader.checkpoint(), corrected: [] });
const follower = new LogFollower(log, [tracing ? tracedReader(reader, tracing, new SystemClock()) : reader]);

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
        reader.linked(message.receipt.position);
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
