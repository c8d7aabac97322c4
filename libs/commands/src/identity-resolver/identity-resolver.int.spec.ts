import { DEFAULT_RULES, versionOf } from '#libs/domain';
import { streamId } from '#libs/event-store';
import { openSqlite } from '#libs/kernel/sqlite.js';
import {
  account,
  cookie,
  email,
  idOf,
  ids,
  linkOf,
  phone,
  world,
  worldOf,
  type Contact,
} from './resolver-world.contract.js';

describe('linking', () => {
  it('links two identities that were seen together, with the evidence and the version of the rules', async () => {
    const w = await (await worldOf({ sees: [email('ana'), phone(1)], name: 'Ana Diaz' })).follow();
    const linked = (await w.log()).find(({ type }) => type === 'IdentitiesLinked')!;
    const [a, b] = [idOf(email('ana')), idOf(phone(1))].toSorted();
    expect(linked.stream).toBe(`link-${linkOf(email('ana'), phone(1))}`);
    expect(linked.tenant).toBe('acme');
    expect(linked.data).toEqual({
      link: linkOf(email('ana'), phone(1)), a, b, rule: versionOf(DEFAULT_RULES), evidence: 'same-interaction', confidence: 0.873,
    }); // prettier-ignore
  });

  it('appends nothing for contacts that bring no news', async () => {
    const contact = { sees: [email('ana'), phone(1)], name: 'Ana Diaz' };
    const w = await (await worldOf(contact, contact, { sees: [email('ana')] })).follow();
    await w.contact(contact);
    await w.follow();
    expect(await w.types()).toEqual(['IdentitiesLinked']);
  });

  it('retracts the links of a number that turns out to be shared, and says why', async () => {
    const w = await (await worldOf({ sees: [account('A1'), phone(1)], name: 'Ana Diaz' })).follow();
    expect(await w.links()).toEqual([linkOf(account('A1'), phone(1))]);
    await w.contact({ sees: [account('B2'), phone(1)], name: 'Bruno Lee' });
    await w.follow();
    expect(await w.links()).toEqual([]);
    expect((await w.log()).find(({ type }) => type === 'LinkRetracted')!.data).toMatchObject({ reason: 'shared' });
  });

  it('proposes to an agent what two verified accounts without names leave open', async () => {
    const w = await (await worldOf({ sees: [account('A1'), phone(1)] }, { sees: [account('B2'), phone(1)] })).follow();
    expect(await w.links()).toEqual([]);
    expect((await w.types()).toSorted()).toEqual(['IdentitiesLinked', 'LinkProposed', 'LinkProposed', 'LinkRetracted']);
  });

  it('links a profile to its identifiers and uses its name and birth date', async () => {
    const w = world();
    await w.profile('1', { givenName: 'Ana', familyName: 'Diaz', identifiers: [email('ana'), phone(1)] });
    await w.profile('2', { givenName: 'Ana', familyName: 'Diaz', birthDate: '1990-01-01', identifiers: [phone(1)] });
    await w.follow();
    expect(await w.links()).toHaveLength(3);
    await w.profile('3', { givenName: 'Ana', familyName: 'Diaz', birthDate: '1955-05-05', identifiers: [phone(1)] });
    await w.follow();
    expect(await w.links()).toHaveLength(1);
  });

  it('leaves out anonymous contacts, blocked values and weak identifiers', async () => {
    const w = await worldOf(
      { sees: [] },
      { sees: [{ type: 'phone', value: 'anonymous' }], name: 'Ana' },
      { sees: [{ type: 'phone', value: 'anonymous' }, email('ana')] },
      { sees: [email('info'), phone(1), { type: 'handle', value: '@ana' }] },
    );
    await w.follow();
    expect(await w.decisions()).toEqual([]);
  });

  it('links a tagged address to its mailbox once an event carries the mailbox', async () => {
    const w = await (await worldOf({ sees: [email('ana+shop')] })).follow();
    expect(await w.links()).toEqual([]);
    await w.contact({ sees: [email('ana')] });
    await w.follow();
    expect(await w.links()).toEqual([linkOf(email('ana+shop'), email('ana'))]);
  });

  it('tells that a number was somebody else’s in front of the links to that time, and takes it back', async () => {
    const old: Contact = { sees: [account('A1'), phone(1)], name: 'Ana Diaz' };
    const next: Contact = { sees: [account('B2'), phone(1)], name: 'Bruno Lee', day: 200 };
    const w = await (await worldOf(old, next)).follow();
    const era = ids.formerEra(idOf(phone(1)), 0);
    const told = (await w.log()).filter(({ type }) => type === 'IdentityErasDecided');
    const former = [{ identity: era, until: '2025-07-25' }];
    expect(told.map(({ stream, data }) => ({ stream, data }))).toEqual([
      {
        stream: streamId('eras', idOf(phone(1))),
        data: { identity: idOf(phone(1)), former, rule: versionOf(DEFAULT_RULES) },
      },
    ]);
    const links = [ids.link('acme', idOf(account('A1')), era), linkOf(account('B2'), phone(1))];
    expect(await w.links()).toEqual(links.toSorted());
    const first = (await w.log()).find(({ stream }) => stream === streamId('link', links[0]!))!;
    expect(first.position).toBeGreaterThan(told[0]!.position);
    await w.contact({ ...old, day: 220 });
    await w.follow();
    expect((await w.log()).filter(({ type }) => type === 'IdentityErasDecided').at(-1)!.data).toMatchObject({
      former: [],
    });
    expect(await w.links()).toEqual([]);
  });

  it('keeps tenants apart', async () => {
    const w = await worldOf({ sees: [email('ana'), phone(1)] });
    await w.contact({ sees: [email('ana'), phone(1)] }, 'globex');
    await w.follow();
    const linked = (await w.log()).filter(({ type }) => type === 'IdentitiesLinked');
    expect(linked.map(({ tenant }) => tenant)).toEqual(['acme', 'globex']);
    expect(new Set(linked.map(({ stream }) => stream)).size).toBe(2);
  });

  it('keeps no name, birth date or identifier in clear', async () => {
    const w = world();
    await w.profile('1', {
      givenName: 'Ana',
      familyName: 'Diaz',
      birthDate: '1990-01-01',
      identifiers: [email('ana')],
    });
    await w.contact({ sees: [email('ana'), phone(1)], name: 'Ana Diaz' });
    await w.follow();
    const db = openSqlite(w.file, { readonly: true });
    const rows = JSON.stringify(db.prepare('SELECT type, names, birth_dates FROM identity').all([]));
    db.close();
    expect(rows).toContain('given');
    expect(rows).not.toMatch(/ana|diaz|1990|@|555/i);
  });
});

describe('other rules', () => {
  it('decide everything again from position 0 and take over what no longer holds', async () => {
    const story: Contact[] = [{ sees: [account('A1'), cookie('k1')] }, { sees: [account('A1'), phone(1)] }];
    const w = await (await worldOf(...story)).follow();
    expect(await w.links()).toHaveLength(2);
    const limits = { ...DEFAULT_RULES.limits, cookie: { neighbours: 0, holders: 0 } };
    await w.reopen({ ...DEFAULT_RULES, version: 'rules-next', limits });
    await w.follow(2);
    expect(await w.links()).toEqual([linkOf(account('A1'), phone(1))]);
    expect((await w.log()).at(-1)!.data).toMatchObject({
      rule: expect.stringMatching(/^rules-next\+[0-9a-f]{8}$/) as unknown,
      reason: 'hub',
    });
  });

  it('tell the times of a number otherwise, where those before are in the log', async () => {
    const seen = [
      ['A1', 'Ana Diaz', 0],
      ['B2', 'Bruno Lee', 60],
      ['C3', 'Eva Cruz', 200],
    ] as const;
    const contacts = seen.map(([who, name, day]) => ({ sees: [account(who), phone(1)], name, day }));
    const w = await (await worldOf(...contacts)).follow();
    const [first, second] = [0, 1].map((n) => ids.formerEra(idOf(phone(1)), n));
    const now = linkOf(account('C3'), phone(1));
    const three = [ids.link('acme', idOf(account('A1')), first!), ids.link('acme', idOf(account('B2')), second!), now];
    expect(await w.links()).toEqual(three.toSorted());
    const within = (apartDays: number) => ({ ...DEFAULT_RULES, windows: { phone: { apartDays } } });
    for (const [apartDays, links] of [
      [100, []],
      [50, three],
      [300, []],
      [45, three],
    ] as const) {
      await w.reopen(within(apartDays));
      await w.follow(3);
      expect(await w.links()).toEqual(links.toSorted());
    }
  });

  it('decide again when they change under the version they had', async () => {
    const w = await (await worldOf({ sees: [account('A1'), cookie('k1')] })).follow();
    expect(await w.links()).toHaveLength(1);
    const limits = { ...DEFAULT_RULES.limits, cookie: { neighbours: 0, holders: 0 } };
    await w.reopen({ ...DEFAULT_RULES, limits });
    await w.follow();
    expect(await w.links()).toEqual([]);
  });
});
