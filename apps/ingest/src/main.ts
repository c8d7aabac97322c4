import { readSettings } from '#libs/kernel/settings.js';
import { runProgram } from '../../shared/src/run-program.js';
import { announce, startProgram } from '../../shared/src/start-program.js';
import { ingest } from './ingest.program.js';

await runProgram(
  'hilo ingest',
  (onFailure) => startProgram(ingest, readSettings(process.env), onFailure),
  announce('ingest'),
);
