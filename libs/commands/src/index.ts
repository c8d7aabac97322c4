export { CommandRunner, type CommandReceipt } from './command-runner.js';
export { Intake } from './intake/intake.js';
