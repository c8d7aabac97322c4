export * from './interaction-bus.port.js';
export * from './bus-key.js';
export * from './cloud-event.js';
