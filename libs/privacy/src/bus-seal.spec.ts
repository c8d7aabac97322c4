import { FixedClock } from '#libs/kernel';
import { BusSeal, busKeyId } from './bus-seal.js';
import { MemoryKeyVault } from './vault/memory/memory.key-vault.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const WEEK_MS = 7 * DAY_MS;
const start = Date.UTC(2026, 0, 31, 23, 59);

const open = () => {
  const vault = new MemoryKeyVault();
  const clock = new FixedClock(start);
  return { vault, clock, seal: new BusSeal(vault, clock) };
};

describe('BusSeal', () => {
  it('opens what it sealed, under the same words only', async () => {
    const { seal } = open();
    const sealed = (await seal.now())('message 1', 'canary');
    expect(sealed.includes('canary')).toBe(false);
    expect(seal.isSealed(sealed)).toBe(true);
    expect((await seal.open('message 1', sealed))?.toString()).toBe('canary');
    await expect(seal.open('message 2', sealed)).rejects.toMatchObject({ code: 'PRIVACY.SEAL_BROKEN' });
  });

  it('takes another key every day', async () => {
    const { vault, clock, seal } = open();
    const first = (await seal.now())('m', 'one');
    clock.advance(60_000);
    const second = (await seal.now())('m', 'two');
    await vault.destroy(busKeyId(start));
    expect(await seal.open('m', first)).toBeUndefined();
    expect((await seal.open('m', second))?.toString()).toBe('two');
  });

  it('ends a day once the bus has forgotten its messages, and none before', async () => {
    const { clock, seal } = open();
    const sealed = (await seal.now())('m', 'one');
    clock.advance(WEEK_MS + DAY_MS);
    expect(await seal.endBefore(WEEK_MS)).toBe(0);
    expect(await seal.open('m', sealed)).toBeDefined();
    clock.advance(DAY_MS);
    expect(await seal.endBefore(WEEK_MS)).toBe(1);
    expect(await seal.open('m', sealed)).toBeUndefined();
    expect(await seal.endBefore(WEEK_MS)).toBe(0);
  });

  it('ends what was left over while no hub ran', async () => {
    const { clock, seal } = open();
    const sealed = (await seal.now())('m', 'one');
    clock.advance(200 * DAY_MS);
    expect(await seal.endBefore(WEEK_MS)).toBe(1);
    expect(await seal.open('m', sealed)).toBeUndefined();
  });

  it('opens nothing that is cut short', async () => {
    const { seal } = open();
    const sealed = (await seal.now())('m', 'one');
    for (const length of [15, 20, 32, 33, 40]) {
      const opening = seal.open('m', sealed.subarray(0, length));
      await expect(opening.catch((error: unknown) => error)).resolves.not.toBeInstanceOf(Buffer);
    }
  });
});
