import type { ReadAllOptions } from './event-store.port.js';

/** The batch size of a read, brought into its bounds. */
export const batchSizeOf = ({ batchSize = 500 }: ReadAllOptions): number =>
  Math.min(5000, Math.max(1, Math.trunc(batchSize)));
