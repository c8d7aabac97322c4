export * from './vault/key-vault.port.js';
export * from './seal/event-sealer.js';
export * from './sealed.event-log.js';
export * from './sealed.event-store.js';
export * from './sealed.parked-messages.js';
export * from './bus-seal.js';
