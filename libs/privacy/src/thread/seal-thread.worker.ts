import { parentPort } from 'node:worker_threads';
import { SealServer } from './seal-server.js';
import type { ToSealThread } from './seal-thread.protocol.js';

const server = new SealServer();
parentPort!.on('message', (message: ToSealThread) => {
  parentPort!.postMessage(server.serve(message));
  if (message.type === 'close') parentPort!.close();
});
