const SMALLEST = 4096;

/**
 * Numbers with positions in two flat arrays: an entry is no object, so that the many short-lived ones cost the garbage
 * collector nothing. A number may have several positions. Open addressing with linear probing; it grows by doubling.
 */
export class PositionTable {
  private hashes = new Float64Array(SMALLEST);
  /** 0 marks an empty slot: positions count from 1. */
  private positions = new Float64Array(SMALLEST);
  private entries = 0;

  get size(): number {
    return this.entries;
  }

  add(hash: number, position: number): void {
    if (this.entries * 2 >= this.positions.length) this.grow();
    this.put(hash, position);
    this.entries += 1;
  }

  /** Appends the positions of a number to `found`, in the order they were added. */
  find(hash: number, found: number[]): void {
    const { hashes, positions } = this;
    const mask = positions.length - 1;
    for (let slot = slotOf(hash, mask); positions[slot] !== 0; slot = (slot + 1) & mask)
      if (hashes[slot] === hash) found.push(positions[slot]!);
  }

  has(hash: number): boolean {
    const { hashes, positions } = this;
    const mask = positions.length - 1;
    for (let slot = slotOf(hash, mask); positions[slot] !== 0; slot = (slot + 1) & mask)
      if (hashes[slot] === hash) return true;
    return false;
  }

  /** All entries, by number and then by position. */
  sorted(): [hash: number, position: number][] {
    const all: [number, number][] = [];
    for (const [slot, position] of this.positions.entries())
      if (position !== 0) all.push([this.hashes[slot]!, position]);
    return all.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  }

  private put(hash: number, position: number): void {
    const mask = this.positions.length - 1;
    let slot = slotOf(hash, mask);
    while (this.positions[slot] !== 0) slot = (slot + 1) & mask;
    this.hashes[slot] = hash;
    this.positions[slot] = position;
  }

  private grow(): void {
    const { hashes, positions } = this;
    this.hashes = new Float64Array(hashes.length * 2);
    this.positions = new Float64Array(positions.length * 2);
    // From an empty slot on, so that entries of one number keep their order.
    const start = positions.indexOf(0);
    for (let i = 0; i < positions.length; i++) {
      const slot = (start + i) & (positions.length - 1);
      if (positions[slot] !== 0) this.put(hashes[slot]!, positions[slot]!);
    }
  }
}

// The numbers are bits of a cryptographic hash already: any of their bits spread evenly.
const slotOf = (hash: number, mask: number): number => (hash % 2 ** 31) & mask;
