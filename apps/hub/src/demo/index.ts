export * from './demo-interactions.js';
export * from './demo-profiles.js';
export * from './demo-trickle.js';
export * from './demo.types.js';
export { seeded, type Random } from './random.js';
export { SHOWCASE_IDENTIFIER } from './showcase.js';
