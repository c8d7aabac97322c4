import type { ErasureDto } from '#libs/commands/erasure/erasure.dto.js';
import { openPostgres } from '#libs/kernel/postgres.js';
import { readModelSchema } from '#libs/projections/read-model/postgres/postgres.read-model.js';
import { HubProcess, cleanUp, hiloWith, temporaryDirectory, type HubOptions } from '../../e2e/hub-process.js';
import { eventually } from '../../e2e/waiting.js';
import { postgresForTests } from './postgres-server.js';
import { ELSEWHERE, inServerFiles } from './server-files.js';

jest.setTimeout(300_000);
const newAddress = postgresForTests();
afterAll(cleanUp);

const optionsOf = (url: string): HubOptions => ({
  dataDir: temporaryDirectory(),
  env: { HILO_READ_MODEL_URL: url },
});

let serial = 0;
const contact = (): object => ({
  channel: 'email',
  account: 'care@acme.example',
  externalId: `contact-${++serial}`,
  kind: 'message',
  occurredAt: new Date(Date.UTC(2025, 2, 1, 0, 0, serial)).toISOString(),
  customer: { identifiers: [{ type: 'email', value: 'ana@example.com' }], name: 'Ana Ruiz' },
  subject: `Contact ${serial}`,
});

/** Hands a contact over and answers with the subjects that then stand on the timeline, newest first. */
const tell = async (hub: HubProcess): Promise<(string | undefined)[]> => {
  const [result] = await (await hub.client('integration')).take(contact());
  return subjects(hub, result!.position);
};

const subjects = async (hub: HubProcess, atLeast?: number): Promise<(string | undefined)[]> => {
  const agent = await hub.client('agent');
  const { id } = await agent.customer('email:ana@example.com', atLeast);
  return (await agent.timeline(id)).items.map(({ subject }) => subject);
};

describe('a hub with its read model in PostgreSQL', () => {
  it('shows what it was told, also after it was killed, and rebuilds it to the same rows', async () => {
    serial = 0;
    const options = optionsOf(newAddress());
    let hub = await HubProcess.start(options);
    await tell(hub);
    expect(await tell(hub)).toEqual(['Contact 2', 'Contact 1']);
    await hub.kill();
    hub = await HubProcess.start(options);
    expect(await tell(hub)).toEqual(['Contact 3', 'Contact 2', 'Contact 1']);
    expect(await hub.stop()).toEqual({ code: 0, signal: null });

    const rebuilt = await hiloWith(options, 'rebuild', '--verify');
    expect(rebuilt).toMatchObject({ code: 0 });
    expect(rebuilt.stdout).toMatch(/^entry +3 +[0-9a-f]{16} +equal$/m);
    expect(rebuilt.stdout).not.toContain('differs');
    expect(await hiloWith(options, 'reconcile')).toMatchObject({ code: 0 });
    hub = await HubProcess.start(options);
    expect(await subjects(hub)).toEqual(['Contact 3', 'Contact 2', 'Contact 1']);
    await hub.stop();
  });

  it('goes on when its connections break', async () => {
    serial = 0;
    const options = optionsOf(newAddress());
    const hub = await HubProcess.start(options);
    await tell(hub);
    const url = options.env!.HILO_READ_MODEL_URL!;
    const server = openPostgres({ url, schema: 'public', room: 'TEST', connections: 1 });
    const ended = await server.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1',
      [readModelSchema(url)],
    );
    expect(ended.rows.length).toBeGreaterThan(0);
    await server.end();
    const [result] = await (await hub.client('integration')).take(contact());
    expect(await eventually(() => subjects(hub, result!.position))).toEqual(['Contact 2', 'Contact 1']);
    expect(await hub.stop()).toEqual({ code: 0, signal: null });
  });

  it('leaves nothing of an erased customer in the files of the server, nor of one whose rebuild was stopped', async () => {
    serial = 0;
    const options = optionsOf(newAddress());
    const url = options.env!.HILO_READ_MODEL_URL!;
    const hub = await HubProcess.start(options);
    const [sender, agent, supervisor] = await Promise.all(
      (['integration', 'agent', 'supervisor'] as const).map((role) => hub.client(role)),
    );
    const of = (value: string, name: string, more: object = {}) => ({
      ...contact(),
      customer: { identifiers: [{ type: 'email', value }], name },
      text: `so spricht ${name}`,
      ...more,
    });
    const said = of('ida.rotschwanz@example.com', 'Ida Rotschwanz');
    await sender!.take(said);
    await sender!.take([{ ...said, revision: 2, text: 'so singt Ida Rotschwanz' }]);
    const profile = { source: 'crm', externalId: 'NEST-7710', name: 'Ida Rotschwanz-Nest', identifiers: said.customer.identifiers }; // prettier-ignore
    await sender!.take([profile], '/v1/profiles');
    for (let n = 0; n < 200; n++) await sender!.take(of(`vogel${n}@example.com`, `Amsel ${n}`));
    const [last] = await sender!.take(of('karl.amsel@example.com', 'Karl Amsel'));
    const customer = await agent!.customer('email:ida.rotschwanz@example.com', last!.position);
    const [first] = (await agent!.timeline(customer.id)).items;
    await agent!.post(`/v1/conversations/${first!.conversation}/notes`, { text: 'ruft morgen in ihr Nest zurück' });
    const consent = { purpose: 'marketing', granted: false, evidence: 'will keine Würmer' };
    await supervisor!.post(`/v1/customers/${customer.id}/consents`, consent);

    // As a rebuild leaves it that was stopped; and the server has gathered what it knows of columns.
    const schema = readModelSchema(url);
    const server = openPostgres({ url, schema, room: 'TEST', connections: 1 });
    await server.query(`CREATE SCHEMA ${schema}_next`);
    await server.query(`CREATE TABLE ${schema}_next.entry AS SELECT * FROM ${schema}.entry`);
    await server.query('ANALYZE');
    await server.end();
    const gone = ['ida.rotschwanz@example.com', 'Ida Rotschwanz', 'Rotschwanz-Nest', 'so spricht Ida', 'so singt Ida', 'in ihr Nest', 'keine Würmer']; // prettier-ignore
    expect([gone.map(() => true), ELSEWHERE]).toContainEqual(await inServerFiles(url, gone));

    const asked = await supervisor!.post<ErasureDto>(`/v1/customers/${customer.id}/erase`, { reason: 'art-17' });
    const certificate = await eventually(async () => {
      const erasure = await supervisor!.mustGet<ErasureDto>(`/v1/erasures/${asked.body.erasure}`);
      expect(erasure.status).toBe('completed');
      return erasure;
    });
    expect(certificate).toMatchObject({
      contacts: 1,
      files: expect.arrayContaining([`postgres:${schema}`]) as unknown,
    });
    expect((await agent!.get(`/v1/customers/${customer.id}`)).status).toBe(410);
    expect((await agent!.customer('email:karl.amsel@example.com')).interactions).toBe(1);
    const after = await inServerFiles(url, [...gone, 'karl.amsel@example.com']);
    expect([[...gone.map(() => false), true], ELSEWHERE]).toContainEqual(after);
    expect(await hub.stop()).toEqual({ code: 0, signal: null });
  });

  it('says that it cannot start without its server', async () => {
    const options = optionsOf('postgres://hub:not-to-be-shown@127.0.0.1:1/hub');
    const hub = HubProcess.spawn(options);
    expect(await hub.exited).toEqual({ code: 1, signal: null });
    expect(hub.stderr).toMatch(/^hilo: PostgreSQL at 127\.0\.0\.1 cannot be reached \(ECONNREFUSED\)$/m);
    expect(hub.stderr).not.toContain('not-to-be-shown');
  });
});
