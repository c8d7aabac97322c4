import { parentPort } from 'node:worker_threads';
import { VaultServer } from './vault-server.js';
import type { ToVaultThread } from './vault-thread.protocol.js';

const server = new VaultServer();
parentPort!.on('message', (message: ToVaultThread) => {
  parentPort!.postMessage(server.serve(message));
  if (message.type === 'close') parentPort!.close();
});
