export const median = (values: readonly number[]): number => percentile(values, 50);

/** The value that `percent` of all values do not exceed; halfway between two neighbours for the median of an even number. */
export const percentile = (values: readonly number[], percent: number): number => {
  if (values.length === 0) return Number.NaN;
  const sorted = values.toSorted((a, b) => a - b);
  if (percent === 50 && sorted.length % 2 === 0)
    return (sorted[sorted.length / 2 - 1]! + sorted[sorted.length / 2]!) / 2;
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1))]!;
};

/** How far apart the largest and the smallest are. */
export const spread = (values: readonly number[]): number => Math.max(...values) / Math.min(...values);
