const BITS = 2 ** 25;

/**
 * Tells in constant memory (4 MiB) whether an id may have been met: never denies one that was, and affirms few that were
 * not (one in a thousand at a million ids). A Bloom filter whose hash functions are the ids, which are hashes themselves.
 */
export class SeenIds {
  private readonly words = new Uint32Array(BITS / 32);

  /** @param id 16 bytes */
  add(id: Buffer): void {
    for (const bit of bitsOf(id)) this.words[bit >>> 5]! |= 1 << (bit & 31);
  }

  has(id: Buffer): boolean {
    return bitsOf(id).every((bit) => (this.words[bit >>> 5]! & (1 << (bit & 31))) !== 0);
  }
}

// Bytes 6 and 8 hold the version and the variant of a UUID, the same in all.
const bitsOf = (id: Buffer): number[] => [0, 2, 9, 12].map((at) => id.readUInt32LE(at) % BITS);
