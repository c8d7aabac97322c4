import { setImmediate as nextTurn } from 'node:timers/promises';
import { Turnstile } from './turnstile.js';

describe('Turnstile', () => {
  const visits = (turnstile: Turnstile) => {
    const inside: string[] = [];
    const leave = new Map<string, () => void>();
    const visit = (name: string, bytes: number) =>
      turnstile.pass(bytes, () => {
        inside.push(name);
        return new Promise<string>((resolve) =>
          leave.set(name, () => {
            inside.splice(inside.indexOf(name), 1);
            resolve(name);
          }),
        );
      });
    return { inside, visit, leave: async (name: string) => (leave.get(name)!(), await nextTurn()) };
  };

  it('lets in what fits, and the rest in the order it came', async () => {
    const { inside, visit, leave } = visits(new Turnstile(100));
    const all = [visit('a', 60), visit('b', 40), visit('c', 70), visit('d', 10)];
    expect(inside).toEqual(['a', 'b']);
    await leave('b');
    expect(inside).toEqual(['a']);
    await leave('a');
    expect(inside).toEqual(['c', 'd']);
    await leave('c');
    await leave('d');
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('lets a body that never fits in alone', async () => {
    const { inside, visit, leave } = visits(new Turnstile(100));
    void visit('small', 1);
    void visit('huge', 1000);
    void visit('late', 1);
    expect(inside).toEqual(['small']);
    await leave('small');
    expect(inside).toEqual(['huge']);
    await leave('huge');
    expect(inside).toEqual(['late']);
  });

  it('goes on after work that failed', async () => {
    const turnstile = new Turnstile(100);
    const failing = turnstile.pass(100, () => Promise.reject(new Error('no')));
    const next = turnstile.pass(100, async () => 'next');
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('next');
  });

  it('refuses what would wait beyond its capacity', async () => {
    const { visit, leave } = visits(new Turnstile(100, 150));
    void visit('inside', 100);
    void visit('waiting', 100);
    await expect(visit('too much', 100)).rejects.toMatchObject({ code: 'BUS.FULL', retryable: true });
    await leave('inside');
    void visit('again', 100);
    await leave('waiting');
    await leave('again');
  });
});
