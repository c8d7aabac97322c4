import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { LinePlace } from './line-reader.js';

/** What became of a line that held an item. */
export const OUTCOMES = ['recorded', 'duplicate', 'corrected', 'parked', 'accepted', 'rejected'] as const;
export type Outcome = (typeof OUTCOMES)[number];
export type OutcomeCounts = Record<Outcome, number>;

export const noCounts = (): OutcomeCounts => ({
  recorded: 0,
  duplicate: 0,
  corrected: 0,
  parked: 0,
  accepted: 0,
  rejected: 0,
});

export const addCounts = (sum: OutcomeCounts, more: OutcomeCounts): void => {
  for (const outcome of OUTCOMES) sum[outcome] += more[outcome];
};

export const totalOf = (counts: OutcomeCounts): number => OUTCOMES.reduce((sum, outcome) => sum + counts[outcome], 0);

/** How far the import of one file has come; everything before `place` is durable. */
export interface ImportState {
  version: 1;
  /** For people who find the file. */
  file: string;
  tenant: string;
  place: LinePlace;
  counts: OutcomeCounts;
  /** Size of the file of rejected lines. */
  rejectsBytes: number;
  /** Where the newest contact was recorded. */
  lastPosition: number;
  /** The whole file is in; other files of the same call are not. */
  done?: true;
}

/** What makes an import another one than before. */
export interface ImportFacts {
  file: string;
  tenant: string;
  profiles: boolean;
  /** Where it goes. */
  target: string;
}

/** The state of one import, in a file of its own: replaced whole, so that a kill leaves the earlier or the later one. */
export class ImportStateFile {
  readonly path: string;

  constructor(
    directory: string,
    private readonly facts: ImportFacts,
  ) {
    const { size, mtimeMs } = statSync(facts.file);
    const name = JSON.stringify([realpathSync(facts.file), size, mtimeMs, facts.tenant, facts.profiles, facts.target]);
    const hash = createHash('sha256').update(name).digest('hex').slice(0, 16);
    this.path = join(directory, `import-${hash}.json`);
  }

  /** The saved state, or that of an import that has not begun. */
  load(): ImportState {
    try {
      const saved = JSON.parse(readFileSync(this.path, 'utf8')) as Partial<ImportState>;
      if (saved.version === 1) return saved as ImportState;
    } catch {
      // Absent or damaged: from the beginning, and what was recorded is found as duplicate.
    }
    return {
      version: 1,
      file: this.facts.file,
      tenant: this.facts.tenant,
      place: { lines: 0, offset: 0 },
      counts: noCounts(),
      rejectsBytes: 0,
      lastPosition: 0,
    };
  }

  save(state: ImportState): void {
    mkdirSync(dirname(this.path), { recursive: true });
    writeFileSync(`${this.path}.new`, `${JSON.stringify(state)}\n`, { mode: 0o600 });
    renameSync(`${this.path}.new`, this.path);
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }
}
