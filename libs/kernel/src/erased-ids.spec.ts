import { createHash } from 'node:crypto';
import { UuidSet } from './erased-ids.js';
import { IdFactory, uuidOfBytes, type Uuid } from './ids.js';

const ids = new IdFactory(Buffer.alloc(32, 9));
const idOf = (n: number): Uuid => ids.identity('acme', 'email', `p${n}@x.example`);

describe('a set of ids', () => {
  it('holds what was added, once, and nothing else, however many', () => {
    const set = new UuidSet();
    expect([set.has(idOf(1)), set.size, [...set]]).toEqual([false, 0, []]);
    const added = Array.from({ length: 5000 }, (_, n) => idOf(n));
    expect(added.map((id) => set.add(id)).every(Boolean)).toBe(true);
    expect(set.add(idOf(7))).toBe(false);
    expect(set.size).toBe(5000);
    expect(added.every((id) => set.has(id))).toBe(true);
    expect(Array.from({ length: 5000 }, (_, n) => idOf(5000 + n)).some((id) => set.has(id))).toBe(false);
    expect([...set].toSorted()).toEqual(added.toSorted());
  });

  it('tells ids apart that begin alike', () => {
    const set = new UuidSet();
    const alike = Array.from({ length: 50 }, (_, n) => {
      const bytes = createHash('sha256').update(String(n)).digest();
      bytes.writeUInt32LE(42, 0);
      bytes[6] = 0x80;
      return uuidOfBytes(bytes);
    });
    for (const id of alike) set.add(id);
    expect(alike.every((id) => set.has(id))).toBe(true);
    expect(set.size).toBe(50);
  });
});

describe('ids after an erasure', () => {
  const erased = new UuidSet();
  const after = ids.after(erased);

  it('are others for what was erased, each time anew, and the same for everything else', () => {
    const first = idOf(1);
    expect(after.identity('acme', 'email', 'p1@x.example')).toBe(first);
    erased.add(first);
    const second = after.identity('acme', 'email', 'p1@x.example');
    erased.add(second);
    const third = after.identity('acme', 'email', 'p1@x.example');
    expect(new Set([first, second, third]).size).toBe(3);
    expect(after.identity('acme', 'email', 'p1@x.example')).toBe(third);
    expect(after.identity('acme', 'email', 'p2@x.example')).toBe(idOf(2));
    expect(after.erasures).toBe(2);
  });

  it('are others for conversations too', () => {
    const thread = ['acme', 'whatsapp', 'shop', '34600123456'] as const;
    const before = after.conversation(...thread);
    erased.add(before);
    expect(after.conversation(...thread)).not.toBe(before);
    expect(ids.conversation(...thread)).toBe(before);
  });
});
