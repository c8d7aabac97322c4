import { readSettings } from '#libs/kernel/settings.js';
import { runProgram } from '../../shared/src/run-program.js';
import { announce, startProgram } from '../../shared/src/start-program.js';
import { projector } from './projector.program.js';

await runProgram(
  'hilo projector',
  (onFailure) => startProgram(projector, readSettings(process.env), onFailure),
  announce('projector'),
);
