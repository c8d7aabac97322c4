export * from './custom-projection.js';
export * from './customer-identities.port.js';
export * from './export-history.js';
export * from './history-filter.js';
export * from './history-line.js';
export * from './history-log.js';
export * from './read-history.js';
