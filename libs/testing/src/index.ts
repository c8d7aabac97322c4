export * from './builders.js';
export * from './spec-for.js';
