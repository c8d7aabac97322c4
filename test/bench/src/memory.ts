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

// The kernel counts in ticks of a hundredth of a second wherever Node runs.
const TICKS_PER_SECOND = 100;

/** Seconds of processor time of all threads of a process so far; undefined where the kernel does not say. */
export const cpuSecondsOf = (pid: number): number | undefined => cpuSecondsIn(`/proc/${pid}/stat`);

/** The same of its main thread alone. */
export const mainThreadCpuSecondsOf = (pid: number): number | undefined =>
  cpuSecondsIn(`/proc/${pid}/task/${pid}/stat`);

const cpuSecondsIn = (file: string): number | undefined => {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'latin1');
  // The name in parentheses may hold blanks; user and system time are the 12th and 13th field after it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
};
