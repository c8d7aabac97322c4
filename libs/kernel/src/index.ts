// Settings, logging, engines and SQLite are reached by path: not every thread needs what they load.
export * from './clock.js';
export * from './erased-ids.js';
export * from './errors.js';
export * from './ids.js';
export * from './instant.js';
export * from './interaction.js';
export * from './lru.js';
export * from './read-ahead.js';
export * from './accounts.js';
