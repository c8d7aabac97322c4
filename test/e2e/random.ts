/** The seed of a suite: the variable's, or another one every time; printed, so that a run can be had again. */
export const seedOf = (variable: string): number => {
  const seed = Number(process.env[variable] ?? Date.now() % 2 ** 31);
  process.stdout.write(`${variable}=${seed}\n`);
  return seed;
};

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
export const randomOf = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};
