import { workerData } from 'node:worker_threads';
import { openSqlite } from '#libs/kernel/sqlite.js';

/** Longest wait for a transaction of the projector. */
const BUSY_TIMEOUT_MS = 10_000;

const sqlite = openSqlite(workerData as string, { busyTimeoutMs: BUSY_TIMEOUT_MS });
sqlite.exec('VACUUM');
sqlite.close();
