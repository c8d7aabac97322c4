export { ReadModel } from './read-model/read-model.port.js';
export type * from './read-model/read-model.schema.js';
export { ProjectionProgress, type ProjectionAdvance } from './progress.port.js';
export { AGENT_WORK_CODES, DIRECTION_CODES, KIND_CODES } from './timeline/codes.js';
