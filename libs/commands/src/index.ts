export { KnownConversations, type ConversationPlace } from './agent-work/known-conversations.port.js';
export { CommandRunner, type CommandReceipt } from './command-runner.js';
export { Intake } from './intake/intake.js';
export { KnownIdentities } from './links/known-identities.port.js';
export {
  DeletedData,
  ErasureTurns,
  OwnTurns,
  ErasableCustomers,
  type ErasedIdentifier,
  type FoundForErasure,
} from './erasure/erasable-customers.port.js';
