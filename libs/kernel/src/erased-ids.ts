import { bytesOfUuid, uuidOfBytes, type ErasedIds, type Uuid } from './ids.js';

const ID_BYTES = 16;
const FIRST_SLOTS = 1024;

/**
 * Ids that are hashes, in 32 to 64 bytes each: a table of their bytes, at most half full, in which an id's own first
 * bytes say where it lies. The nil UUID, which no hash is, marks an empty slot.
 */
export class UuidSet implements ErasedIds {
  private count = 0;
  private slots = FIRST_SLOTS;
  private table = Buffer.alloc(0);

  get size(): number {
    return this.count;
  }

  has(id: Uuid): boolean {
    return this.count > 0 && this.isAt(this.slotOf(bytesOfUuid(id)));
  }

  /** @returns whether it is new */
  add(id: Uuid): boolean {
    if (this.table.length === 0) this.table = Buffer.alloc(this.slots * ID_BYTES);
    const bytes = bytesOfUuid(id);
    const slot = this.slotOf(bytes);
    if (this.isAt(slot)) return false;
    bytes.copy(this.table, slot * ID_BYTES);
    this.count += 1;
    if (this.count * 2 > this.slots) this.grow();
    return true;
  }

  *[Symbol.iterator](): Generator<Uuid> {
    for (let slot = 0; slot * ID_BYTES < this.table.length; slot++) {
      if (this.isAt(slot)) yield uuidOfBytes(this.table.subarray(slot * ID_BYTES, (slot + 1) * ID_BYTES));
    }
  }

  // A hash of the hub has its version in byte 6 and its variant in byte 8: never all zeros.
  private isAt(slot: number): boolean {
    return this.table[slot * ID_BYTES + 6] !== 0;
  }

  /** Where an id lies, or would. */
  private slotOf(bytes: Buffer): number {
    for (let slot = bytes.readUInt32LE(0) % this.slots; ; slot = (slot + 1) % this.slots) {
      const at = slot * ID_BYTES;
      if (!this.isAt(slot) || bytes.compare(this.table, at, at + ID_BYTES) === 0) return slot;
    }
  }

  private grow(): void {
    const ids = [...this];
    this.slots *= 2;
    this.count = 0;
    this.table = Buffer.alloc(this.slots * ID_BYTES);
    for (const id of ids) this.add(id);
  }
}
