import { MemoryParkedMessages } from './memory.parked-messages.js';
import { parkedMessagesContract } from './parked-messages.contract.js';

parkedMessagesContract('MemoryParkedMessages', { open: () => new MemoryParkedMessages() });
