import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { DEFAULT_RULES, versionOf, type IdentityRules, type InteractionContent, type LinkEvent } from '#libs/domain';
import { streamId, type EventStore, type NewEvent, type StoredEvent } from '#libs/event-store';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { IdFactory, type CustomerIdentifier, type InboundProfile } from '#libs/kernel';
import { openSqlite } from '#libs/kernel/sqlite.js';
import { ContentReader } from '../intake/content.js';
import { IdentityResolver } from './identity-resolver.js';

const ids = new IdFactory(Buffer.from('a pepper for tests'));
const reader = new ContentReader(ids, { countryOf: () => undefined });
const folder = mkdtempSync(join(tmpdir(), 'identity-resolver-'));
let files = 0;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Contact {
  sees: CustomerIdentifier[];
  name?: string;
  identify?: true;
  /** Days after the others. */
  day?: number;
}

const email = (value: string): CustomerIdentifier => ({ type: 'email', value: `${value}@x.example` });
const phone = (last: number): CustomerIdentifier => ({ type: 'phone', value: `+12125550${100 + last}` });
const account = (value: string): CustomerIdentifier => ({ type: 'account', value, verified: true });
const cookie = (value: string): CustomerIdentifier => ({ type: 'cookie', value });
const idOf = ({ type, value }: CustomerIdentifier, tenant = 'acme') => ids.identity(tenant, type, value);
const linkOf = (one: CustomerIdentifier, other: CustomerIdentifier) => ids.link('acme', idOf(one), idOf(other));

/** A log with its resolver, and what an agent and the channels do to it. */
class World {
  readonly file = join(folder, `${++files}.db`);
  readonly store = new MemoryEventStore();
  private appending: EventStore['append'] = (...append) => this.store.append(...append);
  private resolver = this.open();
  private contacts = 0;

  constructor(readonly rules: IdentityRules = DEFAULT_RULES) {}

  private open(rules = this.rules): IdentityResolver {
    return IdentityResolver.open({ file: this.file, ids, append: (...append) => this.appending(...append), rules });
  }

  async contact({ sees, name, identify, day = 0 }: Contact, tenant = 'acme'): Promise<void> {
    const content: InteractionContent = reader.interaction({
      tenant,
      channel: 'chat',
      account: 'shop',
      externalId: `m${++this.contacts}`,
      kind: identify ? 'identify' : 'message',
      direction: 'inbound',
      occurredAt: new Date(Date.UTC(2025, 0, 6 + day, 10)).toISOString(),
      receivedAt: '2025-12-06T10:00:01.000Z',
      customer: { identifiers: sees, ...(name && { name }) },
    });
    const id = ids.interaction(tenant, 'chat', 'shop', content.externalId);
    await this.put(streamId('interaction', id), 'no_stream', 'InteractionRecorded', content, tenant);
  }

  async profile(externalId: string, said: Partial<InboundProfile>): Promise<void> {
    const inbound = { tenant: 'acme', source: 'crm', externalId, receivedAt: '2025-01-06T10:00:00.000Z', ...said };
    const content = reader.profile(inbound);
    await this.put(streamId('identity', content.profile), 'no_stream', 'ProfileImported', content);
  }

  async agent(event: LinkEvent): Promise<void> {
    const stream = streamId('link', event.data.link);
    const past = await this.store.read(stream);
    const expected = past.length === 0 ? 'no_stream' : past.length - 1;
    await this.put(stream, expected, event.type, { ...event.data, by: { agent: 'kim' } });
  }

  /** What an agent does who links or parts two identities, whatever stands between them now. */
  async rule(pair: readonly CustomerIdentifier[], verdict: string): Promise<void> {
    const [a, b] = pair.map((one) => idOf(one)).toSorted() as [string, string];
    const link = ids.link('acme', a, b);
    await this.agent({ type: 'IdentitiesLinked', data: { link, a, b, evidence: 'agent', confidence: 1 } });
    if (verdict === 'apart') await this.agent({ type: 'LinkRetracted', data: { link, reason: 'two people' } });
  }

  /** Leads the resolver to the end of the log, its own decisions included. */
  async follow(batchSize = 500): Promise<this> {
    for (let after = await this.resolver.checkpoint(); after < (await this.store.head());) {
      for await (const events of this.store.readAll({ after, batchSize })) await this.resolver.apply(events);
      after = await this.resolver.checkpoint();
    }
    return this;
  }

  async apply(events: readonly StoredEvent[]): Promise<void> {
    await this.resolver.apply(events);
  }

  async reopen(rules?: IdentityRules): Promise<void> {
    await this.resolver.close();
    this.resolver = this.open(rules);
  }

  async loseFile(): Promise<void> {
    await this.resolver.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(this.file + suffix, { force: true });
    this.resolver = this.open();
  }

  close(): Promise<void> {
    return this.resolver.close();
  }

  /** Appends of the resolver go through `append` while `during` runs. */
  async appendingThrough(append: EventStore['append'], during: () => Promise<unknown>): Promise<void> {
    const usual = this.appending;
    this.appending = append;
    await during().finally(() => (this.appending = usual));
  }

  async log(): Promise<StoredEvent[]> {
    const all: StoredEvent[] = [];
    for await (const events of this.store.readAll({ after: 0 })) all.push(...events);
    return all;
  }

  async decisions(): Promise<string[]> {
    const log = await this.log();
    return log
      .filter(({ stream }) => /^(link|eras)-/.test(stream))
      .map(({ type, stream, revision }) => `${type} ${stream} ${revision}`);
  }

  async types(): Promise<string[]> {
    return (await this.decisions()).map((decision) => decision.split(' ')[0]!);
  }

  /** Active links, as the log tells them to everyone. */
  async links(): Promise<string[]> {
    const active = new Set<string>();
    for (const { type, data } of await this.log()) {
      const { link } = data as LinkEvent['data'];
      if (type === 'IdentitiesLinked' || type === 'LinkConfirmed') active.add(link);
      else if (type === 'LinkRetracted') active.delete(link);
    }
    return [...active].toSorted();
  }

  private async put(stream: NewStream, expected: Expected, type: string, data: object, tenant = 'acme'): Promise<void> {
    const event: NewEvent = {
      id: ids.event(stream, expected === 'no_stream' ? 0 : expected + 1, 'outside'),
      type,
      schema: 1,
      tenant,
      data,
    };
    await this.store.append(stream, [event], expected);
  }
}

type NewStream = Parameters<EventStore['append']>[0];
type Expected = Parameters<EventStore['append']>[2];

const worlds: World[] = [];
const world = (rules?: IdentityRules): World => {
  const made = new World(rules);
  worlds.push(made);
  return made;
};
const worldOf = async (...contacts: Contact[]): Promise<World> => {
  const made = world();
  for (const contact of contacts) await made.contact(contact);
  return made;
};
const closeAll = async (): Promise<void> => {
  for (const made of worlds.splice(0)) await made.close();
};
afterEach(closeAll);

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

describe('an agent', () => {
  const seen = { sees: [email('ana'), phone(1)] };
  const link = linkOf(email('ana'), phone(1));
  const retracted: LinkEvent = { type: 'LinkRetracted', data: { link, reason: 'two people' } };

  it('is not overruled: a link retracted stays retracted whatever comes later', async () => {
    const w = await (await worldOf(seen)).follow();
    await w.agent(retracted);
    await w.follow();
    await w.contact({ ...seen, identify: true });
    await w.contact({ ...seen, name: 'Ana Diaz' });
    await w.follow();
    expect(await w.types()).toEqual(['IdentitiesLinked', 'LinkRetracted']);
  });

  it('links what the rules keep apart, an anonymous contact too', async () => {
    const nobody: CustomerIdentifier = { type: 'conversation', value: 'c' };
    const w = await worldOf({ sees: [email('ana')] });
    const [a, b] = [idOf(email('ana')), idOf(nobody)].toSorted() as [string, string];
    await w.agent({
      type: 'IdentitiesLinked',
      data: { link: linkOf(email('ana'), nobody), a, b, evidence: 'agent', confidence: 1 },
    });
    await w.follow();
    await w.contact({ sees: [email('ana'), phone(1)] });
    await w.follow();
    expect(await w.links()).toEqual([linkOf(email('ana'), nobody), link].toSorted());
    expect(await w.types()).not.toContain('LinkRetracted');
  });

  it('confirms or rejects a proposal for good', async () => {
    const w = await (await worldOf({ sees: [account('A1'), phone(1)] }, { sees: [account('B2'), phone(1)] })).follow();
    await w.agent({ type: 'LinkConfirmed', data: { link: linkOf(account('A1'), phone(1)) } });
    await w.agent({ type: 'LinkRejected', data: { link: linkOf(account('B2'), phone(1)) } });
    await w.follow();
    await w.contact({ sees: [account('B2'), phone(1)], identify: true });
    await w.contact({ sees: [account('A1'), phone(1)], identify: true });
    await w.follow();
    expect(await w.links()).toEqual([linkOf(account('A1'), phone(1))]);
    expect((await w.types()).slice(-2)).toEqual(['LinkConfirmed', 'LinkRejected']);
  });

  it.each([1, 500])('wins a race for a link stream (batches of %d)', async (batchSize) => {
    const w = await (await worldOf({ sees: [account('A1'), phone(1)], name: 'Ana Diaz' })).follow();
    const contested = linkOf(account('A1'), phone(1));
    await w.contact({ sees: [account('B2'), phone(1)], name: 'Bruno Lee' }); // the rules will retract
    const late = await w.log();
    await w.agent({ type: 'LinkConfirmed', data: { link: contested } }); // but have not read this yet
    for (let i = 0; i < late.length; i += batchSize) await w.apply(late.slice(i, i + batchSize));
    await w.follow(batchSize);
    expect(await w.links()).toEqual([contested]);
    await w.contact({ sees: [account('B2'), phone(1)], name: 'Carla Roe' });
    await w.follow(batchSize);
    expect(await w.links()).toEqual([contested]);
    const before = await w.decisions();
    await w.loseFile();
    await w.follow(3);
    expect(await w.decisions()).toEqual(before);
  });

  it('wins when the ruling lies in the batch that would decide otherwise', async () => {
    const w = await (await worldOf({ sees: [account('A1'), phone(1)], name: 'Ana Diaz' })).follow();
    await w.contact({ sees: [account('B2'), phone(1)], name: 'Bruno Lee' });
    await w.agent({ type: 'LinkConfirmed', data: { link: linkOf(account('A1'), phone(1)) } });
    await w.follow();
    expect(await w.types()).toEqual(['IdentitiesLinked', 'LinkConfirmed']);
  });
});

// Few identities, so that hubs, shared numbers and disputes all occur.
const tight: IdentityRules = {
  ...DEFAULT_RULES,
  maxNames: 2,
  limits: { ...DEFAULT_RULES.limits, phone: { neighbours: 3, holders: 3 }, cookie: { neighbours: 2, holders: 2 } },
};
const identifier = fc.constantFrom(
  account('A1'), account('B2'), email('ana'), email('ana+x'), email('bo'), phone(1), phone(2), cookie('k1'), cookie('k2'),
); // prettier-ignore
const some = (lengths: { minLength?: number; maxLength: number }) =>
  fc.uniqueArray(identifier, {
    ...lengths,
    comparator: (one, other) => one.type === other.type && one.value === other.value,
  });
const pairOf = some({ minLength: 2, maxLength: 2 });
const anyContact = fc.record<Contact>(
  {
    sees: some({ maxLength: 3 }),
    name: fc.constantFrom('Ana Diaz', 'A. Diaz', 'Bo Lee'),
    identify: fc.constant(true as const),
    day: fc.constantFrom(0, 5, 60, 120, 320),
  },
  { requiredKeys: ['sees'] },
);
const contacts = fc.array(anyContact, { minLength: 1, maxLength: 12 });
const resolved = async (list: readonly Contact[], batchSize: number): Promise<World> => {
  const w = world(tight);
  for (const contact of list) await w.contact(contact);
  return w.follow(batchSize);
};

describe('the log decides', () => {
  jest.setTimeout(60_000);

  it('gives the same active links for any order of arrival', async () => {
    const shuffled = contacts.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    await fc.assert(
      fc
        .asyncProperty(shuffled, async ([list, others]) => {
          const [one, other] = [await resolved(list, 500), await resolved(others, 500)];
          expect(await other.links()).toEqual(await one.links());
        })
        .afterEach(closeAll),
      { numRuns: 40 },
    );
  });

  it('gives the same link events whatever the batch size', async () => {
    await fc.assert(
      fc
        .asyncProperty(contacts, fc.integer({ min: 1, max: 7 }), async (list, batchSize) => {
          const [one, other] = [await resolved(list, 500), await resolved(list, batchSize)];
          expect((await other.decisions()).toSorted()).toEqual((await one.decisions()).toSorted());
        })
        .afterEach(closeAll),
      { numRuns: 40 },
    );
  });

  it('gives the links of a calm history when agents race the rules, and the same decisions again without the file', async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: anyContact },
      fc.record({ pair: pairOf, verdict: fc.constantFrom('together', 'apart'), raced: fc.boolean() }),
    );
    const steps = fc.array(step, { minLength: 2, maxLength: 12 });
    await fc.assert(
      fc
        .asyncProperty(steps, fc.integer({ min: 1, max: 9 }), async (list, batchSize) => {
          const racing = world(tight);
          const calm = world(tight);
          for (const one of list) {
            if ('sees' in one) {
              await racing.contact(one);
              await calm.contact(one);
              continue;
            }
            const late = one.raced ? await racing.log() : [];
            await racing.rule(one.pair, one.verdict);
            for (let i = 0; i < late.length; i += batchSize) await racing.apply(late.slice(i, i + batchSize));
            if (!one.raced) await racing.follow(batchSize);
          }
          for (const one of list) if (!('sees' in one)) await (await calm.follow()).rule(one.pair, one.verdict);
          await calm.follow();
          await racing.follow(batchSize);
          expect(await racing.links()).toEqual(await calm.links());
          const before = await racing.decisions();
          await racing.loseFile();
          await racing.follow(3);
          expect(await racing.decisions()).toEqual(before);
        })
        .afterEach(closeAll),
      { numRuns: 60 },
    );
  });

  it('appends nothing twice after the file was lost', async () => {
    await fc.assert(
      fc
        .asyncProperty(contacts, fc.integer({ min: 1, max: 30 }), async (list, batchSize) => {
          const w = await resolved(list, 5);
          const before = await w.decisions();
          await w.loseFile();
          await w.follow(batchSize);
          expect(await w.decisions()).toEqual(before);
        })
        .afterEach(closeAll),
      { numRuns: 40 },
    );
  });
});

describe('a crash', () => {
  const story: Contact[] = [
    { sees: [account('A1'), phone(1)], name: 'Ana Diaz' },
    { sees: [email('ana'), phone(1)], name: 'Ana Diaz' },
    { sees: [account('B2'), phone(1)], name: 'Bruno Lee' },
    { sees: [account('B2'), email('bo')], name: 'Bruno Lee' },
  ];

  it.each([1, 2, 3])(
    'after %d appends and before the commit repeats the batch and appends nothing twice',
    async (appends) => {
      const whole = await (await worldOf(...story)).follow();
      const w = await worldOf(...story);
      let done = 0;
      await w.appendingThrough(
        async (...append) => {
          if (++done > appends) throw new Error('power is gone');
          return w.store.append(...append);
        },
        () => expect(w.follow()).rejects.toThrow('power is gone'),
      );
      await w.reopen();
      await w.follow();
      expect((await w.decisions()).toSorted()).toEqual((await whole.decisions()).toSorted());
    },
  );

  it('shows nothing of a batch whose append failed, and takes the same batch again', async () => {
    const whole = await (await worldOf(...story)).follow();
    const w = await worldOf(...story);
    await w.appendingThrough(
      async (...append) => {
        await w.store.append(...append);
        throw new Error('no answer');
      },
      () => expect(w.follow()).rejects.toThrow('no answer'),
    );
    await w.follow(1);
    expect((await w.decisions()).toSorted()).toEqual((await whole.decisions()).toSorted());
  });

  it('leaves the checkpoint where the last batch ended, and earlier events are passed over', async () => {
    const w = await (await worldOf(...story)).follow();
    const before = await w.decisions();
    await w.reopen();
    await w.apply(await w.log());
    expect(await w.decisions()).toEqual(before);
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
