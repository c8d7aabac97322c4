/**
 * A bounded cache that forgets what was not used lately. Entries live in two generations of half the capacity each: a
 * full young one becomes the old one, and what is read from the old one moves up. Reading costs one look-up and writes
 * nothing, which a strict order of use would.
 */
export class LruMap<K, V> {
  private young = new Map<K, V>();
  private old = new Map<K, V>();
  private readonly half: number;

  /** @param capacity most entries held, 2 or more */
  constructor(capacity: number) {
    this.half = Math.max(1, Math.floor(capacity / 2));
    // Sets both a second time: what is set once is compiled in as a constant, and whatever reads a cache would be compiled
    // again when the first one turns over.
    this.clear();
  }

  get(key: K): V | undefined {
    const value = this.young.get(key);
    if (value !== undefined) return value;
    const older = this.old.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: K, value: V): void {
    this.young.set(key, value);
    if (this.young.size < this.half) return;
    this.old = this.young;
    this.young = new Map();
  }

  delete(key: K): void {
    this.young.delete(key);
    this.old.delete(key);
  }

  clear(): void {
    this.young = new Map();
    this.old = new Map();
  }
}
