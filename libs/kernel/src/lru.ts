/** A map that forgets the least recently used entry above `capacity` entries: the bound that keeps caches constant. */
export class LruMap<K, V> {
  private readonly entries = new Map<K, V>();
  // One iterator for good: a new one would walk over every hole that deletions left at the front.
  private oldest = this.entries.keys();

  constructor(private readonly capacity: number) {}

  get(key: K): V | undefined {
    const value = this.entries.get(key);
    if (value === undefined) return undefined;
    this.entries.delete(key);
    this.entries.set(key, value);
    return value;
  }

  set(key: K, value: V): void {
    this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size > this.capacity) this.entries.delete(this.oldest.next().value as K);
  }

  delete(key: K): void {
    this.entries.delete(key);
  }

  clear(): void {
    this.entries.clear();
    this.oldest = this.entries.keys();
  }
}
