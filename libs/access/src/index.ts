export * from './api-keys.port.js';
export * from './bearer-tokens.port.js';
export * from './body-fields.js';
export * from './caller.js';
export * from './json-body.js';
export * from './problem.js';
