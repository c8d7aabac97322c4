export { CommandRunner, type CommandReceipt } from './command-runner.js';
export { Intake } from './intake/intake.js';
export { KnownIdentities } from './links/known-identities.port.js';
