/** Has the next batch fetched while the last one is worked on. */
export async function* readAhead<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  const batches = source[Symbol.asyncIterator]();
  try {
    for (let coming = batches.next(); ;) {
      const { done, value } = await coming;
      if (done === true) return;
      coming = batches.next();
      // Heard of once it is asked for.
      coming.catch(() => undefined);
      yield value;
    }
  } finally {
    await batches.return?.();
  }
}
