import { randomUUID } from 'node:crypto';
import type { WrittenDownDto } from '#libs/commands/agent-work/agent-work.dto.js';
import type { ErasureDto } from '#libs/commands/erasure/erasure.dto.js';
import type { LinkOutcomeDto } from '#libs/commands/links/links.dto.js';
import type { CustomerDto } from '#libs/queries/customers/customer.dto.js';
import type { ReceiptDto } from '#libs/queries/receipts/get-receipt.handler.js';
import { HubClient } from '../../e2e/hub-client.js';
import { eventually } from '../../e2e/waiting.js';
import { Cluster } from './cluster.js';

jest.setTimeout(240_000);

let cluster: Cluster;
/** By the two timeline APIs in turn, so that neither knows more than the servers say. */
let agents: HubClient[];
let supervisors: HubClient[];
let senders: HubClient[];

beforeAll(async () => {
  cluster = await Cluster.start();
  await cluster.startPrograms();
  const both = (name: 'ingest' | 'timeline-api', role: 'integration' | 'agent' | 'supervisor') =>
    Promise.all([0, 1].map((nth) => cluster.client(name, role, nth)));
  senders = await both('ingest', 'integration');
  agents = await both('timeline-api', 'agent');
  supervisors = await both('timeline-api', 'supervisor');
});
afterAll(() => cluster.stop());

let serial = 0;
const identifierOf = (text: string) => {
  const [type, value] = text.split(/:(.*)/s, 2);
  return { type, value };
};
const contact = (identifiers: string[], over: object = {}, name = 'Ana Mora'): Record<string, unknown> => ({
  channel: 'email',
  account: 'care@acme.example',
  externalId: `contact-${++serial}`,
  kind: 'message',
  occurredAt: new Date(Date.UTC(2026, 2, 1, 0, 0, serial)).toISOString(),
  customer: { identifiers: identifiers.map(identifierOf), name },
  text: `said in contact ${serial}`,
  ...over,
});

let turn = 0;
/** Hands contacts over to one ingest after the other, and waits until they are shown. */
const tell = async (...contacts: object[]): Promise<ReceiptDto[]> => {
  const taken = await senders[turn++ % 2]!.take(contacts);
  expect(new Set(taken.map(({ status }) => status))).toEqual(new Set(['accepted']));
  return eventually(async () => {
    const receipts = await Promise.all(taken.map(({ receipt }) => agents[turn % 2]!.receipt(receipt!)));
    for (const receipt of receipts) expect(receipt).toMatchObject({ visible: true });
    return receipts;
  });
};

const idsOn = async (agent: HubClient, customer: string, query = {}): Promise<string[]> =>
  (await agent.timeline(customer, query)).items.map(({ id }) => id).toReversed();

const must = <Body>({ status, text, body }: { status: number; text: string; body: Body }): Body => {
  if (status > 201) throw new Error(`answered ${status}: ${text}`);
  return body;
};

describe('the four programs on shared servers', () => {
  it('show on every timeline API what any ingest has taken', async () => {
    const who = 'email:first@example.com';
    const told = [...(await tell(contact([who]))), ...(await tell(contact([who])))].map(({ receipt }) => receipt);
    for (const agent of agents) expect(await idsOn(agent, (await agent.customer(who)).id)).toEqual(told);
  });

  it('know a receipt as soon as it was given, and call one unknown only when nothing can have it', async () => {
    const [taken] = await senders[0]!.take([contact(['email:prompt@example.com'])]);
    expect(await agents[0]!.receipt(taken!.receipt!)).toMatchObject({ status: 'recorded' });
    expect((await agents[1]!.get(`/v1/receipts/${randomUUID()}`)).status).toBe(404);

    await Promise.all(cluster.of('recorder').map((recorder) => recorder.stop()));
    const [waiting] = await senders[1]!.take([contact(['email:prompt@example.com'])]);
    for (const receipt of [waiting!.receipt, randomUUID()]) {
      const asked = await agents[0]!.get(`/v1/receipts/${receipt}`);
      expect(asked).toMatchObject({ status: 503, body: { code: 'RECEIPT.NOT_KNOWN_YET' } });
      expect(asked.headers.get('retry-after')).toBe('2');
    }
    await Promise.all([0, 1].map(() => cluster.startProgram('recorder').url()));
    await eventually(async () =>
      expect(await agents[1]!.receipt(waiting!.receipt!)).toMatchObject({ status: 'recorded', visible: true }),
    );
  });

  it('record a repeated contact once, a higher revision in its place, and set other content aside', async () => {
    const who = 'email:again@example.com';
    const said = contact([who]);
    const [first] = await tell(said);
    for (const sender of senders) await sender.take([said, said]);
    const [corrected] = await tell({ ...said, revision: 2, text: 'said better' });
    await eventually(async () => expect((await agents[0]!.receipt(first!.receipt)).status).toBe('corrected'));
    await senders[1]!.take({ ...said, revision: 2, text: 'said otherwise' });
    const { id } = await agents[1]!.customer(who, corrected!.position);
    await eventually(async () => {
      const { items } = await agents[1]!.timeline(id, { include: 'body' });
      expect(items).toMatchObject([{ id: first!.receipt, corrected: true, body: { text: 'said better' } }]);
    });
    await eventually(async () => {
      const parked = await cluster.of('recorder')[0]!.metric('hilo_parked_messages');
      expect(parked).toBe(1);
    });
  });

  it('merge two customers and part them again, each command on another program than the question', async () => {
    const [ana, ann] = ['email:ana.m@example.com', 'email:ann.m@example.com'];
    const [first] = await tell(contact([ana]));
    const [second] = await tell(contact([ann, 'loyalty:M-1'], {}, 'Ann Morrow'));
    const before = await agents[0]!.customer(ana);
    const made = must(
      await supervisors[0]!.post<LinkOutcomeDto>('/v1/links', { identities: [ana, ann], reason: 'said so' }),
    );
    const merged = await agents[1]!.customer(ann, made.position);
    expect(merged).toMatchObject({ id: before.id, interactions: 2 });
    const [third] = await tell(contact([ann], {}, 'Ann Morrow'));
    expect(await idsOn(agents[0]!, merged.id)).toEqual([first, second, third].map((one) => one!.receipt));
    // What was known before the link is still what it was.
    const past = await agents[1]!.mustGet<CustomerDto>(`/v1/customers/${before.id}`, { asOfPosition: first!.position });
    expect(past).toMatchObject({ interactions: 1 });

    const undone = must(
      await supervisors[1]!.post<LinkOutcomeDto>(`/v1/links/${made.link}/retract`, { reason: 'it was not so' }),
    );
    const parted = await agents[0]!.customer(ana, undone.position);
    expect(await idsOn(agents[0]!, parted.id)).toEqual([first!.receipt]);
    const other = await agents[1]!.customer(ann, undone.position);
    expect(await idsOn(agents[1]!, other.id)).toEqual([second!.receipt, third!.receipt]);
  });

  it('link what the rules link, by the time a position is shown', async () => {
    const [mail, phone] = ['email:pia@example.com', 'phone:+34600000001'];
    await tell(contact([mail]));
    await tell(contact([phone], { channel: 'sms' }));
    const [joining] = await tell(contact([mail, phone, 'account:PIA-1']));
    for (const agent of agents) expect((await agent.customer(phone, joining!.position)).identities).toHaveLength(3);
  });

  it('keep notes, and stream to whoever watches on any program', async () => {
    const who = 'email:watched@example.com';
    const [first] = await tell(contact([who]));
    const { id } = await agents[0]!.customer(who);
    const streams = await Promise.all(agents.map((agent) => agent.stream(id)));
    const [second] = await tell(contact([who]));
    const { conversation } = await agents[1]!.interaction(first!.receipt);
    const note = must(
      await agents[1]!.post<WrittenDownDto>(`/v1/conversations/${conversation}/notes`, { text: 'likes to be called' }),
    );
    for (const stream of streams)
      expect((await stream.nextOf(2)).map(({ entry }) => entry.id)).toEqual([second!.receipt, note.id]);
    await Promise.all(streams.map((stream) => stream.close()));
    await agents[0]!.customers(who, note.position);
    expect(await idsOn(agents[0]!, id, { kind: 'note' })).toEqual([note.id]);
  });

  it('erase a customer on every program, asked for on two at once', async () => {
    const who = ['email:ida.rotschwanz@example.com', 'account:NEST-7710'];
    const [said] = await tell(contact(who, { text: 'mag keine Anrufe' }));
    const { id } = await agents[0]!.customer(who[0]!, said!.position);
    const asked = await Promise.all(
      supervisors.map((supervisor) => supervisor.post<ErasureDto>(`/v1/customers/${id}/erase`, { reason: 'art-17' })),
    );
    const [erasure, ...others] = new Set(asked.map((answer) => must(answer).erasure));
    expect(others).toEqual([]);
    const certificate = await eventually(async () => {
      const body = await supervisors[1]!.mustGet<ErasureDto>(`/v1/erasures/${erasure}`);
      expect(body.status).toBe('completed');
      return body;
    });
    expect(certificate).toMatchObject({ contacts: 1 });
    for (const agent of agents) {
      await eventually(async () => expect((await agent.get(`/v1/customers/${id}`)).status).toBe(410));
      expect((await agent.get(`/v1/interactions/${said!.receipt}`)).status).toBe(410);
      for (const address of who) expect(await agent.customers(address)).toEqual([]);
    }
    // Whoever comes under the same address is somebody else.
    const [again] = await eventually(() => tell(contact(who.slice(0, 1), { text: 'a fresh start' })));
    const fresh = await agents[1]!.customer(who[0]!, again!.position);
    expect(fresh).toMatchObject({ interactions: 1 });
    expect(certificate.identities.map(({ identity }) => identity)).not.toContain(fresh.id);
  });

  it('say what they lack, and what they do', async () => {
    for (const name of ['ingest', 'recorder', 'projector', 'timeline-api'] as const)
      for (const program of cluster.of(name))
        expect(await program.readiness()).toMatchObject({ status: 200, body: { status: 'ok', operations: 'ok' } });
    const leading = await Promise.all(cluster.of('projector').map((one) => one.metric('hilo_projector_leading')));
    expect(leading.filter((one) => one === 1)).toHaveLength(1);
    const recorded = await Promise.all(cluster.of('recorder').map((one) => one.metric('hilo_recorder_contacts_total')));
    expect(recorded.reduce((sum: number, one) => sum + (one ?? 0), 0)).toBeGreaterThan(10);
  });

  it('refuse engines that nobody shares, and ids of another installation', async () => {
    const alone = cluster.startProgram('recorder', { HILO_EVENT_STORE_URL: '', HILO_BUS_URL: 'embedded:' });
    expect(await alone.exited).toEqual({ code: 1, signal: null });
    expect(alone.stderr).toMatch(/^hilo recorder: HILO_BUS_URL: embedded: works inside one program only/m);
    expect(alone.stderr).toMatch(/^hilo recorder: HILO_EVENT_STORE_URL: sqlite: works inside one program only/m);
    for (const name of ['ingest', 'recorder'] as const) {
      const other = cluster.startProgram(name, { HILO_PEPPER: Buffer.alloc(32, 9).toString('base64') });
      expect(await other.exited).toEqual({ code: 1, signal: null });
      expect(other.stderr).toContain(`hilo ${name}: HILO_PEPPER is not the one of`);
    }
  });

  it('add up, by the command line', async () => {
    const books = await cluster.hilo('reconcile');
    expect(books).toMatchObject({ code: 0, stderr: expect.stringContaining('everything adds up') as unknown });
    expect(books.stderr).toContain('in flight: 0');
    const shown = await cluster.hilo('timeline', 'email:first@example.com', '--tenant', 'demo');
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining('said in contact 1') as unknown });
    const parked = await cluster.hilo('parked', 'list', '--json');
    const { id } = JSON.parse(parked.stdout) as { id: string };
    expect(await cluster.hilo('parked', 'show', id)).toMatchObject({ code: 0, stdout: expect.stringContaining('said otherwise') as unknown }); // prettier-ignore
    const replayed = await cluster.hilo('parked', 'replay', id);
    expect(replayed).toMatchObject({ code: 1, stderr: expect.stringContaining('is parked again') as unknown });
    expect(await cluster.hilo('parked', 'discard', id, '--reason', 'said twice')).toMatchObject({ code: 0 });
    expect(await cluster.hilo('reconcile')).toMatchObject({ code: 0 });
    const made = await cluster.hilo('api-keys', 'create', '--tenant', 'demo', '--role', 'agent');
    const reader = new HubClient(agents[0]!.url, made.stdout.trim());
    expect(await reader.customers('email:first@example.com')).toHaveLength(1);
  });

  it('stop cleanly within 10 s', async () => {
    const since = Date.now();
    const running = cluster.programs.filter((program) => program.isRunning);
    for (const exit of await Promise.all(running.map((program) => program.stop())))
      expect(exit).toEqual({ code: 0, signal: null });
    expect(Date.now() - since).toBeLessThan(20_000);
  });
});
