import type { Results } from './results.js';
import type { Sizes } from './sizes.js';
import type { Workspace } from './workspace.js';

/** What every measurement of a round works with. */
export interface Round {
  number: number;
  sizes: Sizes;
  results: Results;
  workspace: Workspace;
  /** Directory for the hub's CPU profiles. */
  profile?: string;
  say: (line: string) => void;
}
