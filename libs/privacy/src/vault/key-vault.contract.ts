import { randomUUID } from 'node:crypto';
import type { KeyVault } from './key-vault.port.js';

export interface KeyVaultUnderTest<V extends KeyVault> {
  /** An empty one. */
  open(): Promise<V> | V;
  /** What the vault holds, for another thread or process. */
  beside?(vault: V): Promise<KeyVault>;
  /** The closed vault's contents in a new one. */
  reopen?(): Promise<V>;
  lacks?: { durability?: string };
}

/** The second half of the port: what every adapter promises. */
export const keyVaultContract = <V extends KeyVault>(name: string, under: KeyVaultUnderTest<V>): void => {
  describe(`${name} keeps the promises of KeyVault`, () => {
    let vault: V;
    beforeEach(async () => {
      vault = await under.open();
    });
    afterEach(() => vault.close());

    const keyOf = async (identity: string) => (await vault.obtain([identity])).get(identity)!;

    it('makes a key of 256 bits once and hands out the same ever after', async () => {
      const identity = randomUUID();
      const [first, second] = await Promise.all([keyOf(identity), keyOf(identity)]);
      expect(first).toMatchObject({ version: 1 });
      expect(first.secret).toHaveLength(32);
      expect(second).toEqual(first);
      expect(vault.cached(identity)).toEqual(first);
      expect((await vault.find([identity])).get(identity)).toEqual(first);
    });

    it('gives every identity a key of its own, many at once', async () => {
      const identities = Array.from({ length: 1203 }, () => randomUUID());
      const keys = await vault.obtain([...identities, ...identities]);
      expect(keys.size).toBe(1203);
      expect(new Set([...keys.values()].map(({ secret }) => secret.toString('hex'))).size).toBe(1203);
      expect(await vault.find(identities)).toEqual(keys);
    });

    it('makes no key for who only looks', async () => {
      const identity = randomUUID();
      expect(await vault.find([identity])).toEqual(new Map());
      expect(vault.cached(identity)).toBeUndefined();
      expect(await vault.destroy(identity)).toBe(false);
      expect(await vault.find([identity])).toEqual(new Map());
    });

    it('destroys a key for good, and others not', async () => {
      const [gone, other] = [randomUUID(), randomUUID()];
      await vault.obtain([gone, other]);
      expect(await vault.destroy(gone)).toBe(true);
      expect(vault.cached(gone)).toBeUndefined();
      expect([...(await vault.find([gone, other])).keys()]).toEqual([other]);
      expect(await vault.destroy(gone)).toBe(false);
    });

    it('gives an identity whose key was destroyed another one, under the next version', async () => {
      const identity = randomUUID();
      const first = await keyOf(identity);
      await vault.destroy(identity);
      const second = await keyOf(identity);
      expect(second.version).toBe(first.version + 1);
      expect(second.secret.equals(first.secret)).toBe(false);
      expect((await vault.find([identity])).get(identity)).toEqual(second);
    });

    it('ends what is erased for good: its key goes, and it never gets another', async () => {
      const [sealed, bare, other] = [randomUUID(), randomUUID(), randomUUID()];
      const erasure = randomUUID();
      await vault.obtain([sealed, other]);
      await vault.beginErasure({ erasure, tenant: 'acme' });
      for (let again = 0; again < 2; again++) await vault.erase(erasure, [sealed, bare]);
      expect([...(await vault.obtain([sealed, bare, other])).keys()]).toEqual([other]);
      expect([...(await vault.find([sealed, bare, other])).keys()]).toEqual([other]);
      expect(vault.cached(sealed)).toBeUndefined();
      expect([sealed, bare, other].map((id) => vault.erased.has(id))).toEqual([true, true, false]);
      expect(await vault.erasedBy(erasure)).toEqual(
        [
          { id: sealed, keyDestroyed: true },
          { id: bare, keyDestroyed: false },
        ].toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      );
      expect(await vault.erasedBy(randomUUID())).toEqual([]);
    });

    it('knows which erasures did not come to their end', async () => {
      const [ended, open] = [randomUUID(), randomUUID()];
      for (const erasure of [ended, open, ended]) await vault.beginErasure({ erasure, tenant: 'acme' });
      await vault.endErasure(ended);
      expect(await vault.openErasures()).toEqual([{ erasure: open, tenant: 'acme' }]);
    });

    const shared = 'shows another process the same keys, and none that was destroyed since';
    if (under.lacks?.durability !== undefined) it.skip(`${shared} (${under.lacks.durability})`, () => undefined);
    else
      it(shared, async () => {
        const [gone, kept] = [randomUUID(), randomUUID()];
        const keys = new Map(await vault.obtain([gone, kept]));
        const other = await under.beside!(vault);
        try {
          expect(other.id).toBe(vault.id);
          expect(await other.find([gone, kept])).toEqual(keys);
          await vault.destroy(gone);
          expect([...(await other.find([gone, kept])).keys()]).toEqual([kept]);
          const erasure = randomUUID();
          await vault.beginErasure({ erasure, tenant: 'acme' });
          await vault.erase(erasure, [kept]);
          expect(await other.find([gone, kept])).toEqual(new Map());
          expect([gone, kept].map((id) => other.erased.has(id))).toEqual([false, true]);
        } finally {
          await other.close();
        }
      });

    const title = 'has its keys again after it was closed';
    if (under.lacks?.durability !== undefined) it.skip(`${title} (${under.lacks.durability})`, () => undefined);
    else
      it(title, async () => {
        const [gone, kept] = [randomUUID(), randomUUID()];
        const keys = new Map(await vault.obtain([gone, kept]));
        await vault.destroy(gone);
        const { id } = vault;
        await vault.close();
        vault = await under.reopen!();
        expect(vault.id).toBe(id);
        expect([...(await vault.find([gone, kept]))]).toEqual([[kept, keys.get(kept)]]);
        expect((await keyOf(gone)).version).toBe(2);
      });

    const ended = 'remembers what was erased, and what was to be, after it was closed';
    if (under.lacks?.durability !== undefined) it.skip(`${ended} (${under.lacks.durability})`, () => undefined);
    else
      it(ended, async () => {
        const [erasure, identity] = [randomUUID(), randomUUID()];
        await vault.obtain([identity]);
        await vault.beginErasure({ erasure, tenant: 'acme' });
        await vault.erase(erasure, [identity]);
        await vault.close();
        vault = await under.reopen!();
        expect(vault.erased.has(identity)).toBe(true);
        expect(await vault.obtain([identity])).toEqual(new Map());
        expect(await vault.openErasures()).toEqual([{ erasure, tenant: 'acme' }]);
      });
  });
};
