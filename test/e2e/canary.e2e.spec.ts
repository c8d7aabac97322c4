import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import type { ErasureDto } from '#libs/commands/erasure/erasure.dto.js';
import type { InteractionDto } from '#libs/queries/interactions/get-interaction.handler.js';
import {
  accountsOf,
  contact,
  deliverAll,
  deliverUnproven,
  imported,
  loneProfile,
  postForm,
  profile,
  sendMail,
} from './canary-deliveries.js';
import { CANARIES, canariesIn, canariesInFiles } from './canary-values.js';
import type { Answer, HubClient } from './hub-client.js';
import { HubProcess, cleanUp, hilo, temporaryDirectory, type CliRun, type Role } from './hub-process.js';
import { eventually } from './waiting.js';

jest.setTimeout(240_000);
afterAll(cleanUp);

/** The read model: derived, clear, for its owner alone. Erasure empties it. */
const CLEAR_FILES = /^read-model\.db(-wal|-shm)?$/;
const NOBODY = '00000000-0000-8000-8000-000000000000';
/** Went in nowhere but where it was refused. */
const REFUSED = 'kanari-falsch';

interface Exported {
  type: string;
  stream: string;
}

describe('personal data', () => {
  const dataDir = temporaryDirectory();
  const settings = temporaryDirectory();
  const queueLog = join(settings, 'queue_log');
  const env = { HILO_LOG_LEVEL: 'trace', HILO_ACCOUNTS_FILE: join(settings, 'accounts.yaml'), HILO_SMTP_PORT: '0' };
  let hub: HubProcess;
  let anyone: HubClient;
  let clients: Record<Role, HubClient>;
  let smtpPort: number;
  let parkedConflict: string;
  let importing: CliRun;

  const start = async (): Promise<void> => {
    hub = await HubProcess.start({ dataDir, env });
    anyone = await hub.client({ key: undefined });
    const [integration, agent, supervisor, analyst, admin] = await Promise.all(
      (['integration', 'agent', 'supervisor', 'analyst', 'admin'] as const).map((role) => hub.client(role)),
    );
    clients = { integration: integration!, agent: agent!, supervisor: supervisor!, analyst: analyst!, admin: admin! };
    smtpPort = Number(/^SMTP: port (\d+)$/m.exec(hub.stdout)![1]);
  };
  const history = async (by: Role): Promise<string> => {
    const answer = await clients[by].get('/v1/history/events');
    expect(answer.status).toBe(200);
    return answer.text;
  };
  const contacts = async (): Promise<InteractionDto[]> => {
    const lines = (await history('admin')).trim().split('\n');
    const ids = lines
      .map((line) => JSON.parse(line) as Exported)
      .filter(({ type }) => type === 'InteractionRecorded')
      .map(({ stream }) => stream.slice(stream.indexOf('-') + 1));
    return Promise.all(ids.map((id) => clients.agent.interaction(id)));
  };
  const must = async (asked: Promise<Answer<unknown>>): Promise<void> => {
    const answer = await asked;
    if (answer.status >= 300) throw new Error(`answered ${answer.status}: ${answer.text}`);
  };
  const said = async (): Promise<string> => `${hub.stdout}\n${hub.stderr}\n${(await anyone.get('/metrics')).text}`;

  beforeAll(async () => {
    writeFileSync(env.HILO_ACCOUNTS_FILE, accountsOf(queueLog));
    const lines = join(settings, 'lines.ndjson');
    // The second line is refused, and stands beside the file.
    writeFileSync(lines, `${JSON.stringify(imported)}\n${JSON.stringify({ ...imported, text: { said: REFUSED } })}\n`);
    importing = await hilo(dataDir, 'import', lines, '--tenant', 'demo');
    writeFileSync(queueLog, '1772442900|NONE|NONE|NONE|QUEUESTART|\n');
    await start();
  });

  it('comes in through every channel and from everybody who writes something down', async () => {
    const { integration, agent, supervisor } = clients;
    expect(canariesIn(importing.stdout + importing.stderr)).toEqual([]);
    expect(canariesInFiles(settings)).toHaveProperty(['lines.ndjson.rejects.ndjson']);
    await integration.take([contact]);
    await integration.take([{ ...contact, revision: 2, text: 'Das Nest kam ohne Deckel, immer noch' }]);
    // Other content under the same revision: its bytes are parked.
    const conflict = { ...contact, revision: 2, text: 'Das Nest kam ohne Deckel, sagt rotkehlchen' };
    const [parked] = await integration.take([conflict]);
    expect(parked).toMatchObject({ status: 'parked' });
    parkedConflict = parked!.receipt!;
    // One of a customer who is in touch, one of somebody who never was.
    await integration.take([profile, loneProfile], '/v1/profiles');
    const event = { specversion: '1.0', id: 'kanari-ereignis-1', source: '/kanari-pfad', type: 'any' };
    const { externalId: _externalId, ...unnamed } = contact;
    await must(integration.post('/v1/interactions', { ...event, data: unnamed }, 'application/cloudevents+json'));
    await sendMail(smtpPort);
    for (const answer of await deliverAll(anyone, queueLog)) expect(answer.status).toBe(200);

    // The mail, two forms, three messages to Telegram and two to Messenger, two calls and two of the queue, three of the
    // tracker, two by the API, one imported.
    const told = await eventually(async () => {
      const all = await contacts();
      expect(all).toHaveLength(18);
      return all;
    });
    const isolde = await agent.customer('email:zaunkoenig.isolde@example.net');
    const flora = await agent.customer('email:fink.formular@example.net');
    for (const { conversation } of told) {
      const path = `/v1/conversations/${conversation}`;
      await must(agent.post(`${path}/notes`, { text: 'Die Meise ruft morgen zurück' }, 'application/json', { 'idempotency-key': 'kanari-schluessel' })); // prettier-ignore
      const promised = await agent.post<{ id: string }>(`${path}/commitments`, { text: 'Dem Fink Körner nachsenden' });
      await must(agent.post(`/v1/commitments/${promised.body.id}/keep`, { reason: 'kanari-erledigt' }));
    }
    for (const { id } of [isolde, flora]) {
      const consent = { purpose: 'marketing', granted: true, evidence: 'kanari-einwilligung' };
      await must(supervisor.post(`/v1/customers/${id}/consents`, consent));
      const preference = { channel: 'email', evidence: 'kanari-vorliebe' };
      await must(supervisor.post(`/v1/customers/${id}/preferences`, preference));
      await must(supervisor.post(`/v1/customers/${id}/reveal`, { field: 'name', reason: 'call-back' }));
    }
    const pair = { identities: ['phone:+4915557770134', 'phone:+4915557770135'], reason: 'kanari-grund' };
    const linked = await supervisor.post<{ link: string }>('/v1/links', pair);
    expect(linked.status).toBe(200);
    await must(supervisor.post(`/v1/links/${linked.body.link}/retract`, { reason: 'kanari-widerruf' }));

    expect((await agent.timeline(isolde.id, { include: 'body' })).items).toContainEqual(
      expect.objectContaining({ body: expect.objectContaining({ text: 'Das Nest kam ohne Deckel, immer noch' }) as unknown }),
    ); // prettier-ignore
  });

  it('is in no answer to what is refused, no log line and no metric', async () => {
    const { integration, agent, supervisor, analyst } = clients;
    const { id } = await agent.customer('email:zaunkoenig.isolde@example.net');
    const [{ conversation } = { conversation: '' }] = (await agent.timeline(id)).items;
    const json = 'application/json';
    const post = (wrong: object) => integration.post('/v1/interactions', { ...contact, ...wrong });
    // What is repeated is the name of a field, and what stands for one of a few words (kind, direction, language).
    const refused: Answer<unknown>[] = [
      await integration.post('/v1/interactions', `{"text": "${REFUSED}`, json),
      await integration.post('/v1/interactions', REFUSED, json),
      await integration.post('/v1/interactions', `{"text": ${REFUSED}}`, json),
      await integration.post('/v1/interactions', JSON.stringify(contact), 'text/plain'),
      await integration.post('/v1/interactions', { ...contact, specversion: REFUSED }, 'application/cloudevents+json'),
      await post({ text: { said: REFUSED } }),
      await post({ occurredAt: REFUSED }),
      await post({ customer: REFUSED }),
      await post({ customer: { identifiers: [{ type: 'email', value: 7, note: REFUSED }], name: [REFUSED] } }),
      await post({ attachments: [{ name: 'x', url: REFUSED }] }),
      await post({ externalId: REFUSED.repeat(100) }),
      await post({ revision: REFUSED }),
      await integration.post('/v1/profiles', { ...profile, birthDate: REFUSED }),
      await integration.post('/v1/profiles', { ...profile, identifiers: [{ type: 'email', value: { at: REFUSED } }] }),
      await agent.post(`/v1/conversations/${conversation}/notes`, { text: [REFUSED] }),
      await agent.post(`/v1/conversations/${conversation}/notes`, { text: REFUSED }, json, { 'idempotency-key': 'kanari-schluessel' }), // prettier-ignore
      await agent.post(`/v1/conversations/${conversation}/notes`, `{"text":"${REFUSED}`, json),
      await agent.post(`/v1/conversations/${REFUSED}/notes`, { text: REFUSED }),
      await agent.post(`/v1/conversations/${conversation}/commitments`, { text: 'x', dueAt: REFUSED }),
      await agent.post(`/v1/customers/email:${REFUSED}@example.net/consents`, { purpose: 'x', granted: true, evidence: REFUSED }), // prettier-ignore
      await agent.post(`/v1/customers/${id}/consents`, { purpose: 'Kanari-Falsch', granted: REFUSED, evidence: REFUSED }), // prettier-ignore
      await agent.post(`/v1/customers/${id}/preferences`, { channel: 'KANARI-FALSCH', evidence: REFUSED }),
      await supervisor.post('/v1/links', { identities: [`email:${REFUSED}@example.net`, id], reason: REFUSED }),
      await supervisor.post('/v1/links/preview', { link: [`email:${REFUSED}@example.net`, id] }),
      await supervisor.post(`/v1/links/${REFUSED}/retract`, { reason: REFUSED }),
      await supervisor.post(`/v1/customers/${id}/reveal`, { field: REFUSED, reason: 'x' }),
      await supervisor.post(`/v1/customers/${id}/reveal`, { field: 'name', reason: `Frau ${REFUSED}` }),
      await supervisor.post(`/v1/customers/${id}/erase`, { reason: `Frau ${REFUSED}` }),
      await supervisor.post(`/v1/customers/${NOBODY}/erase`, { reason: REFUSED }),
      await agent.get('/v1/customers', { identifier: REFUSED }),
      await agent.get(`/v1/customers/${REFUSED}`),
      await agent.get(`/v1/customers/${id}/timeline`, { limit: REFUSED }),
      await agent.get(`/v1/customers/${id}/timeline`, { before: REFUSED }),
      await agent.get(`/v1/customers/${id}/timeline`, { asOf: REFUSED }),
      await agent.get(`/v1/receipts/${REFUSED}`),
      await analyst.get('/v1/history/events', { customer: REFUSED }),
      await analyst.get('/v1/history/events', { position: REFUSED }),
      await anyone.get(`/v1/${REFUSED}`),
      await (await hub.client({ key: REFUSED })).get('/v1/customers', { identifier: `email:${REFUSED}@example.net` }),
      ...(await deliverUnproven(anyone)),
    ];
    expect(refused.filter(({ status }) => status < 400)).toEqual([]);
    expect(refused.map(({ text }) => text).filter((text) => canariesIn(text).length > 0)).toEqual([]);
    // Taken, and kept nowhere: a trap for machines; a mail to nobody here.
    await postForm(anyone, { email: `${REFUSED}@example.net`, message: REFUSED, _gotcha: REFUSED });
    const mail = createTransport({ host: '127.0.0.1', port: smtpPort, secure: false, ignoreTLS: true });
    const unknown = { from: `${REFUSED}@example.net`, to: `${REFUSED}@nest.example`, text: REFUSED };
    await expect(mail.sendMail(unknown)).rejects.toMatchObject({ responseCode: 550 });
    mail.close();
    expect(canariesIn(await said())).toEqual([]);
  });

  it('is in clear in no file but the read model, and in no export without the key or the right to see it', async () => {
    // The search finds what it looks for where it may be.
    const shown = Object.values(canariesInFiles(dataDir)).flat();
    expect(shown).toEqual(expect.arrayContaining(['zaunkoenig.isolde', 'Isolde Zaunkönig', 'Mein Nest hat ein Loch']));
    expect(canariesInFiles(dataDir, CLEAR_FILES)).toEqual({});
    // By outcomes analysts count: it is said to name nobody, and shown to them.
    expect(canariesIn(await history('analyst'))).toEqual(['Ausgang: Deckel nachgeschickt']);
    expect(await hub.stop()).toMatchObject({ code: 0 });
    expect(canariesInFiles(dataDir, CLEAR_FILES)).toEqual({});
    expect(canariesIn(`${hub.stdout}\n${hub.stderr}`)).toEqual([]);
    for (const name of ['read-model.db', 'identity.db', 'events.db', 'keys.db', 'master.key'])
      expect([name, statSync(join(dataDir, name)).mode & 0o777]).toEqual([name, 0o600]);

    // With the key everything is there, for analysts and for who mends what was parked.
    const { stdout: exported } = await hilo(dataDir, 'history');
    const parked = (await hilo(dataDir, 'parked', 'list', '--all', '--json')).stdout.trim().split('\n');
    expect(canariesIn(parked.join('\n'))).toEqual([]);
    const ids = parked.map((line) => (JSON.parse(line) as { id: string }).id);
    expect(ids).toHaveLength(5);
    const bytes = await Promise.all(ids.map(async (id) => (await hilo(dataDir, 'parked', 'show', id, '--raw')).stdout));
    const { stdout: conflict } = await hilo(dataDir, 'parked', 'show', parkedConflict);
    expect(conflict).toContain('rotkehlchen');
    const missing = CANARIES.filter((canary) => !canariesIn(exported + bytes.join('\n')).includes(canary));
    // The key of a request is hashed where it comes in; the caller of the queue who was refused is nowhere.
    expect(missing).toEqual(['kanari-schluessel', REFUSED]);
  });

  it('is nowhere once everybody is erased and everything is folded anew', async () => {
    await start();
    const lone = await clients.agent.customer('email:eule.allein@example.net');
    const customers = (await contacts()).map(({ customer }) => customer);
    for (const customer of [...new Set(customers), lone.id]) {
      // Whoever was linked is erased with the first of their contacts.
      const { status, body, text } = await clients.supervisor.post<ErasureDto>(`/v1/customers/${customer}/erase`, {
        reason: 'art-17',
      });
      if (status > 202) throw new Error(`answered ${status}: ${text}`);
      await eventually(async () =>
        expect(await clients.supervisor.mustGet(`/v1/erasures/${body.erasure}`)).toMatchObject({ status: 'completed' }),
      );
    }
    expect(canariesInFiles(dataDir)).toEqual({});
    for (const role of ['admin', 'analyst'] as const) expect(canariesIn(await history(role))).toEqual([]);
    expect(canariesIn(await said())).toEqual([]);
    await hub.stop();

    expect(await hilo(dataDir, 'rebuild')).toMatchObject({ code: 0 });
    const exported = await hilo(dataDir, 'history');
    expect(exported.stdout).toContain('"erased":true');
    const parked = await hilo(dataDir, 'parked', 'list', '--all', '--json');
    const bytes = await Promise.all(
      parked.stdout
        .trim()
        .split('\n')
        .map((line) => hilo(dataDir, 'parked', 'show', (JSON.parse(line) as { id: string }).id)),
    );
    for (const { stdout, stderr } of [exported, parked, ...bytes]) expect(canariesIn(stdout + stderr)).toEqual([]);
    expect(canariesInFiles(dataDir)).toEqual({});

    await start();
    await eventually(async () => expect((await anyone.get('/readyz')).body).toMatchObject({ behind: 0 }));
    for (const role of ['admin', 'analyst'] as const) expect(canariesIn(await history(role))).toEqual([]);
    for (const address of ['email:zaunkoenig.isolde@example.net', 'phone:+4915557770135', 'account:KANARI-NUTZER-1'])
      expect(await clients.agent.customers(address)).toEqual([]);
    expect(canariesIn(await said())).toEqual([]);
    await hub.stop();
    expect(canariesInFiles(dataDir)).toEqual({});
  });
});

describe('sealed data', () => {
  it('opens with the new master key after hilo keys rotate, and with the old one no longer', async () => {
    const dataDir = temporaryDirectory();
    const first = await HubProcess.start({ dataDir });
    await (await first.client('integration')).take([contact]);
    expect(first.stdout).toContain('a master key was made');
    expect((await hilo(dataDir, 'keys', 'rotate')).stderr).toContain('is in use by hub');
    await first.stop();
    const old = readFileSync(join(dataDir, 'master.key'));
    expect(await hilo(dataDir, 'keys', 'rotate')).toMatchObject({ code: 0 });
    expect(readFileSync(join(dataDir, 'master.key')).equals(old)).toBe(false);

    const second = await HubProcess.start({ dataDir });
    const agent = await second.client('agent');
    const { id } = await agent.customer('email:zaunkoenig.isolde@example.net');
    expect((await agent.timeline(id, { include: 'body' })).items).toMatchObject([{ body: { text: contact.text } }]);
    await second.stop();

    writeFileSync(join(dataDir, 'master.key'), old);
    const third = HubProcess.spawn({ dataDir });
    expect(await third.exited).toMatchObject({ code: 1 });
    expect(third.stderr).toMatch(/master key is not the one.*no sealed content can be read/s);
  }, 120_000);
});
