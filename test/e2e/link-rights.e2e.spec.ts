import type { LinkProposalPageDto } from '#libs/queries/links/links.dto.js';
import type { Answer } from './hub-client.js';
import { hilo, type Role } from './hub-process.js';
import { LinkingHub, contact, must, reason } from './linking-hub.js';
import { NOBODY } from './staffed-hub.js';

jest.setTimeout(300_000);

const hub = new LinkingHub();
const { tell, identitiesOf, seenAs } = hub;

describe('who may link', () => {
  const commands = ['/v1/links', `/v1/links/${NOBODY}/retract`, '/v1/links/preview', `/v1/link-proposals/${NOBODY}/confirm`, `/v1/link-proposals/${NOBODY}/reject`]; // prettier-ignore

  it.each<[Role, { commands: boolean; proposals: boolean; identities: boolean }]>([
    ['integration', { commands: false, proposals: false, identities: false }],
    ['agent', { commands: false, proposals: true, identities: true }],
    ['supervisor', { commands: true, proposals: true, identities: true }],
    ['analyst', { commands: false, proposals: false, identities: true }],
    ['admin', { commands: true, proposals: true, identities: true }],
  ])('as %s', async (role, may) => {
    const client = await hub.process.client(role);
    for (const path of commands) {
      const { status } = await client.post(path, {});
      expect([path, status !== 403]).toEqual([path, may.commands]);
    }
    expect((await client.get('/v1/link-proposals')).status).toBe(may.proposals ? 200 : 403);
    expect((await client.get(`/v1/customers/${NOBODY}/identities`)).status).toBe(may.identities ? 404 : 403);
  });

  it('nobody without a key', async () => {
    const anyone = await hub.process.client({ key: undefined });
    for (const path of commands) expect((await anyone.post(path, {})).status).toBe(401);
    expect((await anyone.get('/v1/link-proposals')).status).toBe(401);
  });

  it('nobody over another tenant’s customers, whose ids answer as ids that never were', async () => {
    const made = await hilo(hub.process.dataDir, 'keys', 'create', '--tenant', 'other', '--role', 'admin');
    const stranger = await hub.process.client({ key: made.stdout.trim() });
    await tell([contact(['email:ours@example.com', 'phone:+34600222031'])]);
    const [taken] = await stranger.take(contact(['email:theirs@example.com']));
    const { header } = await seenAs('email:ours@example.com');
    const [ours] = (await identitiesOf(header.id)).links;
    await stranger.customers('email:theirs@example.com', taken!.position);

    const blank = ({ status, text }: Answer<unknown>, id: string) =>
      `${status} ${text.replaceAll(/"instance":"[^"]*"/g, '').replaceAll(id, '?')}`;
    const expectUnknown = async (ask: (id: string) => Promise<Answer<unknown>>, id: string, status: number) => {
      const [foreign, unknown] = [await ask(id), await ask(NOBODY)];
      expect(foreign.status).toBe(status);
      expect(blank(foreign, id)).toBe(blank(unknown, NOBODY));
    };
    const identities = (id: string) => ['email:theirs@example.com', id];
    await expectUnknown((id) => stranger.post('/v1/links', { identities: identities(id), reason }), header.id, 422);
    await expectUnknown((id) => stranger.post('/v1/links/preview', { link: identities(id) }), header.id, 422);
    await expectUnknown((id) => stranger.post('/v1/links/preview', { retract: id }), ours!.id, 404);
    await expectUnknown((id) => stranger.post(`/v1/links/${id}/retract`, { reason }), ours!.id, 404);
    await expectUnknown((id) => stranger.post(`/v1/link-proposals/${id}/confirm`, {}), ours!.id, 404);
    await expectUnknown((id) => stranger.post(`/v1/link-proposals/${id}/reject`, {}), ours!.id, 404);
    await expectUnknown((id) => stranger.get(`/v1/customers/${id}/identities`), header.id, 404);
    expect(must(await stranger.get<LinkProposalPageDto>('/v1/link-proposals')).items).toEqual([]);
    expect((await seenAs('email:ours@example.com')).header).toEqual(header);
  });

  it('as the API page says', async () => {
    const { paths } = (await hub.reader.get<{ paths: object }>('/docs/openapi.json')).body;
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining([
        '/v1/links',
        '/v1/links/{id}/retract',
        '/v1/links/preview',
        '/v1/link-proposals',
        '/v1/link-proposals/{id}/confirm',
        '/v1/link-proposals/{id}/reject',
        '/v1/customers/{id}/identities',
      ]),
    );
  });
});
