import { codeOf, FixedClock, type Clock } from '#libs/kernel';
import { VERIFIED_FOR_MS, type ApiKeys, type NewApiKey } from './api-keys.port.js';
import { ROLES } from './caller.js';

const START = Date.parse('2025-03-02T09:00:00.000Z');

type NewApiKeys = (clock: Clock) => ApiKeys | Promise<ApiKeys>;
let newKeys: NewApiKeys;

/** The second half of the port: what every adapter promises. */
export const apiKeysContract = (name: string, open: NewApiKeys): void => {
  newKeys = open;
  describe(`${name} keeps the promises of ApiKeys`, rules);
};

const rules = (): void => {
  const opened: ApiKeys[] = [];
  afterEach(async () => {
    for (const keys of opened.splice(0)) await keys.close();
  });

  const open = async () => {
    const clock = new FixedClock(START);
    const keys = await newKeys(clock);
    opened.push(keys);
    return { clock, keys };
  };

  it('knows the caller of a key it made', async () => {
    const { keys } = await open();
    const made = await keys.create({ tenant: 'acme', role: 'integration', label: 'shop' });
    expect(made.key).toMatch(/^hilo_[a-z0-9]{8}_[A-Za-z0-9_-]{43}$/);
    const caller = { tenant: 'acme', roles: ['integration'], pii: false, keyId: made.id };
    expect(await keys.verify(made.key)).toEqual(caller);
    expect(await keys.verify(made.key)).toEqual(caller);
  });

  it('keeps no key in clear, neither in the file nor in a list', async () => {
    const { keys } = await open();
    const { key, ...record } = await keys.create({ tenant: 'acme', role: 'agent' });
    expect(await keys.list()).toEqual([record]);
    expect(JSON.stringify(await keys.list())).not.toContain(key.slice(14));
  });

  it.each([
    '',
    'nonsense',
    'hilo_abcdefgh_short',
    `hilo_abcdefgh_${'A'.repeat(43)}`,
    `hilo_abcdefgh_${'A'.repeat(44)}`,
  ])('does not know %j', async (key) => {
    const { keys } = await open();
    expect(await keys.verify(key)).toBeUndefined();
  });

  it('refuses a key whose last character was changed', async () => {
    const { keys } = await open();
    const { key } = await keys.create({ tenant: 'acme', role: 'agent' });
    // The last of 43 characters carries two bits that no byte needs, so the text itself must be what is compared.
    const others = Array.from('ABCDEFGH', (last) => key.slice(0, -1) + last).filter((other) => other !== key);
    for (const other of others) expect(await keys.verify(other)).toBeUndefined();
  });

  it('refuses a key from the moment it expires, though it was verified just before', async () => {
    const { keys, clock } = await open();
    const { key } = await keys.create({ tenant: 'acme', role: 'agent', expiresAt: '2025-03-02T09:00:10Z' });
    clock.advance(9_999);
    expect(await keys.verify(key)).toBeDefined();
    clock.advance(1);
    expect(await keys.verify(key)).toBeUndefined();
  });

  it('refuses a revoked key, and keeps the first time it was revoked', async () => {
    const { keys, clock } = await open();
    const { id, key } = await keys.create({ tenant: 'acme', role: 'agent' });
    await keys.verify(key);
    const { revokedAt } = await keys.revoke(id);
    clock.advance(1000);
    expect(await keys.verify(key)).toBeUndefined();
    expect((await keys.revoke(id)).revokedAt).toBe(revokedAt);
    await expect(keys.revoke('nothing0')).rejects.toMatchObject({ code: 'API_KEY.NOT_FOUND' });
  });

  it('notes the last use at most once a minute', async () => {
    const { keys, clock } = await open();
    const { key } = await keys.create({ tenant: 'acme', role: 'agent' });
    const uses: (string | undefined)[] = [];
    for (const step of [0, VERIFIED_FOR_MS, VERIFIED_FOR_MS, 1]) {
      clock.advance(step);
      await keys.verify(key);
      uses.push((await keys.list())[0]!.lastUsedAt);
    }
    expect(uses).toEqual([
      '2025-03-02T09:00:00.000Z',
      '2025-03-02T09:00:00.000Z',
      '2025-03-02T09:01:00.000Z',
      '2025-03-02T09:01:00.000Z',
    ]);
  });

  it('shows personal data to agents, supervisors and admins, unless a key says otherwise', async () => {
    const { keys } = await open();
    const pii = async (wanted: Partial<NewApiKey>) => {
      const { key, scopes } = await keys.create({ tenant: 'acme', role: 'agent', ...wanted });
      return [(await keys.verify(key))?.pii, scopes];
    };
    for (const role of ROLES)
      expect([role, ...(await pii({ role }))]).toEqual(
        ['agent', 'supervisor', 'admin'].includes(role) ? [role, true, ['pii']] : [role, false, []],
      );
    expect(await pii({ role: 'analyst', scopes: ['pii'] })).toEqual([true, ['pii']]);
    expect(await pii({ role: 'agent', scopes: [] })).toEqual([false, []]);
  });

  describe('when a key is rotated', () => {
    const HOUR_MS = 3_600_000;

    it('gives a new one of the same kind, and lets both work for the time of the overlap', async () => {
      const { keys, clock } = await open();
      const old = await keys.create({ tenant: 'acme', role: 'analyst', scopes: ['pii'], label: 'study' });
      const next = await keys.rotate(old.id, { overlapMs: HOUR_MS });
      expect(next).toMatchObject({ tenant: 'acme', role: 'analyst', scopes: ['pii'], label: 'study' });
      expect(next.key).not.toBe(old.key);
      expect(next.expiresAt).toBeUndefined();
      clock.advance(HOUR_MS - 1);
      expect([await keys.verify(old.key), await keys.verify(next.key)]).toEqual([
        expect.objectContaining({ keyId: old.id }),
        expect.objectContaining({ keyId: next.id, pii: true }),
      ]);
      clock.advance(1);
      expect([await keys.verify(old.key), (await keys.verify(next.key))?.keyId]).toEqual([undefined, next.id]);
      expect((await keys.list()).find(({ id }) => id === old.id)).toMatchObject({ replacedBy: next.id });
    });

    it('ends the old one at once without an overlap, though it was verified just before', async () => {
      const { keys } = await open();
      const old = await keys.create({ tenant: 'acme', role: 'agent' });
      expect(await keys.verify(old.key)).toBeDefined();
      await keys.rotate(old.id, { overlapMs: 0 });
      expect(await keys.verify(old.key)).toBeUndefined();
    });

    it('never lets the old one live longer than it would have', async () => {
      const { keys, clock } = await open();
      const old = await keys.create({ tenant: 'acme', role: 'agent', expiresAt: '2025-03-02T09:00:10Z' });
      await keys.rotate(old.id, { overlapMs: HOUR_MS, expiresAt: '2025-04-01T00:00:00Z' });
      clock.advance(10_000);
      expect(await keys.verify(old.key)).toBeUndefined();
    });

    it('refuses an unknown, ended or replaced key and an overlap out of bounds, and makes nothing', async () => {
      const { keys } = await open();
      const [revoked, replaced, live] = await Promise.all(
        [1, 2, 3].map(() => keys.create({ tenant: 'acme', role: 'agent' })),
      );
      await keys.revoke(revoked!.id);
      await keys.rotate(replaced!.id, { overlapMs: HOUR_MS });
      const before = await keys.list();
      const code = (id: string, overlapMs = 0, expiresAt?: string) =>
        keys.rotate(id, { overlapMs, ...(expiresAt && { expiresAt }) }).then(() => 'made', codeOf);
      expect(await code('nothing0')).toBe('API_KEY.NOT_FOUND');
      expect(await code(revoked!.id)).toBe('ACCESS.INVALID');
      expect(await code(replaced!.id)).toBe('ACCESS.INVALID');
      expect(await code(live!.id, -1)).toBe('ACCESS.INVALID');
      expect(await code(live!.id, 91 * 24 * HOUR_MS)).toBe('ACCESS.INVALID');
      expect(await code(live!.id, 0, 'tomorrow')).toBe('ACCESS.INVALID');
      expect(await keys.list()).toEqual(before);
    });
  });

  it('lists by tenant', async () => {
    const { keys } = await open();
    await keys.create({ tenant: 'acme', role: 'agent' });
    await keys.create({ tenant: 'globex', role: 'agent' });
    expect((await keys.list('globex')).map((key) => key.tenant)).toEqual(['globex']);
  });

  it('makes no key for a tenant, role or expiry that cannot be', async () => {
    const { keys } = await open();
    for (const wanted of [
      { tenant: 'a|b' },
      { tenant: '' },
      { role: 'root' },
      { scopes: ['everything'] },
      { expiresAt: 'tomorrow' },
      { label: 'x'.repeat(201) },
    ]) {
      const error: unknown = await keys
        .create({ tenant: 'acme', role: 'agent', ...wanted } as never)
        .catch((cause: unknown) => cause);
      expect(codeOf(error)).toBe('ACCESS.INVALID');
    }
  });
};
