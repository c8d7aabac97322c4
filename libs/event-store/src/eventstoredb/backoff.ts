/** Waits between attempts: the first `initialMs`, then twice as long each time, at most `maxMs`. */
export interface Backoff {
  initialMs: number;
  maxMs: number;
}

/** Milliseconds before the attempt that follows so many failed ones: half of it fixed, half by chance. */
export const backoffMs = (
  { initialMs, maxMs }: Backoff,
  failures: number,
  random: () => number = Math.random,
): number => Math.min(maxMs, initialMs * 2 ** (failures - 1)) * (0.5 + random() / 2);
