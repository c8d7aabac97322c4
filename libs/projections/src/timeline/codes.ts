import { AGENT_WORK_KINDS, DIRECTIONS, ENTRY_KINDS } from '#libs/kernel';

/** Stored as places in these lists: where one is not grown at its end, `READ_MODEL_VERSION` is raised. */
export const KIND_CODES: readonly string[] = ENTRY_KINDS;
/** Codes of what is no contact, and counts as none. */
export const AGENT_WORK_CODES: readonly number[] = AGENT_WORK_KINDS.map((kind) => KIND_CODES.indexOf(kind));
export const DIRECTION_CODES: readonly string[] = DIRECTIONS;
