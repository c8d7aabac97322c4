import { existsSync, readFileSync, writeFileSync } from 'node:fs';

export interface Memory {
  /** Resident now, in MB of 1,000,000 bytes. */
  nowMb: number;
  /** Highest so far, or since `forgetPeak`. */
  peakMb: number;
}

/** Resident memory of a process as the kernel counts it; undefined where it does not say (no Linux). */
export const memoryOf = (pid: number | 'self'): Memory | undefined => {
  const file = `/proc/${pid}/status`;
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'latin1');
  const mb = (field: string): number =>
    (Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) * 1024) / 1e6;
  return { nowMb: mb('VmRSS'), peakMb: mb('VmHWM') };
};

/** Starts the peak of this process anew. */
export const forgetPeak = (): void => {
  if (existsSync('/proc/self/clear_refs')) writeFileSync('/proc/self/clear_refs', '5');
};
