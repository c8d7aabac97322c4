// The fake of EventStoreDB as a process of its own, so that it can be frozen like one. Says its address on stdout.
import { FakeEventStoreDb } from '../../../dist/libs/testing/src/eventstoredb-fake/fake-event-store-db.js';

const fake = await FakeEventStoreDb.start({ relayed: false });
process.stdout.write(`${fake.url()}\n`);
process.on('SIGTERM', () => process.exit(0));
// Whoever started it has gone.
process.stdin.on('close', () => process.exit(0)).resume();
