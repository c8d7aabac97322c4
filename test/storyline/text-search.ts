/** Bytes that a value needs at least: shorter ones stand in sealed bytes, written in base64, by chance. */
export const SHORTEST_BYTES = 8;
// A global is slow to look up from a test.
const { imul } = Math;
const BITS = 20;
const BASE = 0x01000193;
const BASE_OF_FIRST = Array.from({ length: SHORTEST_BYTES - 1 }).reduce<number>((power) => imul(power, BASE), 1);

const folded = (bytes: Uint8Array): Uint8Array => {
  const copy = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    copy[i] = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
  }
  return copy;
};
const slot = (hash: number): number => (hash ^ (hash >>> BITS)) & ((1 << BITS) - 1);

const standsAt = (bytes: Uint8Array, at: number, value: Uint8Array): boolean => {
  if (at + value.length > bytes.length) return false;
  for (let i = 0; i < value.length; i++) if (bytes[at + i] !== value[i]) return false;
  return true;
};

/** Looks for thousands of values at once, in one pass over the bytes (Rabin-Karp); case of ASCII letters aside. */
export class TextSearch {
  private readonly beginnings = new Uint8Array(1 << BITS);
  private readonly bySlot = new Map<number, { value: string; bytes: Uint8Array }[]>();

  /** @throws Error when a value has less than `SHORTEST_BYTES` bytes */
  constructor(values: Iterable<string>) {
    for (const value of new Set(values)) {
      const bytes = folded(Buffer.from(value));
      if (bytes.length < SHORTEST_BYTES) throw new Error(`"${value}" is too short to search for`);
      const at = slot(hashOf(bytes));
      this.beginnings[at] = 1;
      this.bySlot.set(at, [...(this.bySlot.get(at) ?? []), { value, bytes }]);
    }
  }

  /** The values that stand anywhere in the bytes, as UTF-8. */
  foundIn(content: Uint8Array): Set<string> {
    const found = new Set<string>();
    const bytes = folded(content);
    if (bytes.length < SHORTEST_BYTES) return found;
    const { beginnings } = this;
    let hash = hashOf(bytes);
    for (let at = 0; ; at++) {
      if (beginnings[slot(hash)] === 1)
        for (const one of this.bySlot.get(slot(hash))!)
          if (!found.has(one.value) && standsAt(bytes, at, one.bytes)) found.add(one.value);
      if (at + SHORTEST_BYTES >= bytes.length) return found;
      hash = (imul(hash - imul(bytes[at]!, BASE_OF_FIRST), BASE) + bytes[at + SHORTEST_BYTES]!) | 0;
    }
  }
}

const hashOf = (bytes: Uint8Array): number => {
  let hash = 0;
  for (let i = 0; i < SHORTEST_BYTES; i++) hash = (imul(hash, BASE) + bytes[i]!) | 0;
  return hash;
};
