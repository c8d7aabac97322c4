/** Whether a test holds for any two of them. */
export function somePair<T>(items: readonly T[], test: (one: T, other: T) => boolean): boolean {
  return items.some((one, index) => items.slice(index + 1).some((other) => test(one, other)));
}
