import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_RULES, type IdentityRules, type InteractionContent, type LinkEvent } from '#libs/domain';
import { streamId, type EventStore, type NewEvent, type StoredEvent } from '#libs/event-store';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { IdFactory, type CustomerIdentifier, type InboundProfile } from '#libs/kernel';
import { ContentReader } from '../intake/content.js';
import { IdentityResolver } from './identity-resolver.js';

export const ids = new IdFactory(Buffer.from('a pepper for tests'));
const reader = new ContentReader(ids, { countryOf: () => undefined });
const folder = mkdtempSync(join(tmpdir(), 'identity-resolver-'));
let files = 0;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What is seen together. */
export interface Contact {
  sees: CustomerIdentifier[];
  name?: string;
  identify?: true;
  /** Days after the others. */
  day?: number;
}

export const email = (value: string): CustomerIdentifier => ({ type: 'email', value: `${value}@x.example` });
export const phone = (last: number): CustomerIdentifier => ({ type: 'phone', value: `+12125550${100 + last}` });
export const account = (value: string): CustomerIdentifier => ({ type: 'account', value, verified: true });
export const cookie = (value: string): CustomerIdentifier => ({ type: 'cookie', value });
export const idOf = ({ type, value }: CustomerIdentifier, tenant = 'acme') => ids.identity(tenant, type, value);
export const linkOf = (one: CustomerIdentifier, other: CustomerIdentifier) => ids.link('acme', idOf(one), idOf(other));

/** A log with its resolver, and what an agent and the channels do to it. */
export class World {
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
/** A world that ends with its test. */
export const world = (rules?: IdentityRules): World => {
  const made = new World(rules);
  worlds.push(made);
  return made;
};
export const worldOf = async (...contacts: Contact[]): Promise<World> => {
  const made = world();
  for (const contact of contacts) await made.contact(contact);
  return made;
};
export const closeAll = async (): Promise<void> => {
  for (const made of worlds.splice(0)) await made.close();
};
afterEach(closeAll);
