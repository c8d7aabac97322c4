import type { Results } from './results.js';
import type { Sizes } from './sizes.js';
import type { Workspace } from './workspace.js';
import { jsonPerSecond } from './yardsticks/json.js';
import { syncsPerSecond } from './yardsticks/sync.js';

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

/** Takes what disk and processor give before a round; the answer takes it again and notes what was between. */
export const beginRound = (results: Results, workspace: Workspace, syncs: number): (() => void) => {
  const sync = (): number => {
    const file = workspace.fresh('sync');
    const rate = syncsPerSecond(file, syncs);
    workspace.remove(file);
    return rate;
  };
  const before = { sync: sync(), json: jsonPerSecond() };
  return () => {
    results.add('sync', (before.sync + sync()) / 2);
    results.add('json', (before.json + jsonPerSecond()) / 2);
  };
};
