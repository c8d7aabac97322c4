export * from './event-store.port.js';
export * from './event-log.port.js';
export * from './parked/parked-messages.port.js';
export * from './ledger/delivery-ledger.port.js';
export * from './operations.port.js';
