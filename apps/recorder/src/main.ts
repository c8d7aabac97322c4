import { readSettings } from '#libs/kernel/settings.js';
import { runProgram } from '../../shared/src/run-program.js';
import { announce, startProgram } from '../../shared/src/start-program.js';
import { recorder } from './recorder.program.js';

await runProgram(
  'hilo recorder',
  (onFailure) => startProgram(recorder, readSettings(process.env), onFailure),
  announce('recorder'),
);
