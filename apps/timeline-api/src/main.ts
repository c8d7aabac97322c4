import { readSettings } from '#libs/kernel/settings.js';
import { runProgram } from '../../shared/src/run-program.js';
import { announce, startProgram } from '../../shared/src/start-program.js';
import { timelineApi } from './timeline-api.program.js';

await runProgram(
  'hilo timeline-api',
  (onFailure) => startProgram(timelineApi, readSettings(process.env), onFailure),
  announce('timeline-api'),
);
