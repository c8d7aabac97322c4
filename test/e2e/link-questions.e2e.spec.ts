import { LinkingHub, contact, identifierOf, reason } from './linking-hub.js';
import { NOBODY } from './staffed-hub.js';

jest.setTimeout(300_000);

const hub = new LinkingHub();
const { tell, ruled, link, retract, preview, proposals, identitiesOf, seenAs } = hub;

describe('a preview', () => {
  const profile = (externalId: string, identifiers: string[], over: object = {}) => ({
    source: 'crm',
    externalId,
    identifiers: identifiers.map(identifierOf),
    ...over,
  });
  const headersOf = (...identifiers: string[]) =>
    Promise.all(identifiers.map(async (identifier) => (await seenAs(identifier)).header));

  it('of a link and of its retraction shows what then happens, and what speaks against it', async () => {
    await tell(
      [
        profile('pv-1', ['account:V-1', 'email:vera.v@example.com'], {
          givenName: 'Vera', familyName: 'Voss', birthDate: '1980-02-01', consents: { marketing: true, sms: true },
        }),
        profile('pv-2', ['account:V-2', 'email:v.voss@example.com'], {
          givenName: 'Veronika', familyName: 'Voss', birthDate: '1981-02-01', consents: { marketing: false, sms: true },
        }),
      ],
      '/v1/profiles',
    ); // prettier-ignore
    await tell([
      contact(['email:vera.v@example.com']),
      contact(['account:V-2'], { channel: 'chat' }),
      contact(['email:v.voss@example.com']),
    ]);
    const pair = ['email:vera.v@example.com', 'account:V-2'] as const;
    const seen = await preview({ link: pair });
    expect(seen).toMatchObject({ action: 'link', changes: true, heldBy: [] });
    expect(seen.before).toEqual(await headersOf(...pair));
    expect(seen.conflicts).toEqual([
      { kind: 'verified-accounts', one: ['V-1'], other: ['V-2'] },
      { kind: 'birth-dates', one: ['1980-02-01'], other: ['1981-02-01'] },
      { kind: 'consents', about: 'marketing', one: ['granted'], other: ['denied'] },
    ]);
    // Nothing has happened.
    expect(await headersOf(...pair)).toEqual(seen.before);

    const made = await link(...pair);
    expect(made.link).toBe(seen.link);
    expect(await headersOf(...pair)).toEqual([seen.after[0], seen.after[0]]);
    expect(seen.after[0]).toMatchObject({ interactions: 3, channels: { email: 2, chat: 1 } });
    expect(await preview({ link: pair })).toMatchObject({ changes: false, heldBy: [made.link], after: seen.after });

    const undone = await preview({ retract: made.link });
    expect(undone).toMatchObject({ action: 'retract', link: made.link, changes: true, conflicts: seen.conflicts.map(({ kind }) => ({ kind })) });
    expect(undone.before).toEqual(seen.after);
    expect(undone.after.toSorted(byId)).toEqual(seen.before.toSorted(byId));
    await retract(made.link);
    expect(await headersOf(...pair)).toEqual(seen.before);

    // Whoever would link them again sees who has parted them and why.
    const again = await preview({ link: pair });
    expect(again.conflicts[0]).toMatchObject({ kind: 'ruled-apart', about: reason });
    const closed = await preview({ retract: made.link });
    expect(closed.changes).toBe(false);
    expect(closed.after.toSorted(byId)).toEqual(again.before.toSorted(byId));
  }); // prettier-ignore

  it('of a retraction says which other links hold the two together', async () => {
    const three = ['email:hold@example.com', 'phone:+34600222010', 'loyalty:H-1'];
    await tell([contact(three), contact(three.slice(0, 2)), contact(three.slice(1))]);
    const { header } = await seenAs(three[0]!);
    const { links } = await identitiesOf(header.id);
    const direct = links.find(({ between }) => between.every(({ type }) => type !== 'loyalty'))!;
    const seen = await preview({ retract: direct.id });
    expect(seen).toMatchObject({ changes: false, before: [header], after: [header], conflicts: [] });
    expect(seen.heldBy.toSorted()).toEqual(links.map(({ id }) => id).filter((id) => id !== direct.id).toSorted());
    await retract(direct.id);
    expect((await seenAs(three[0]!)).header).toEqual(header);
  }); // prettier-ignore

  it('and a command say which field is wrong and what is allowed', async () => {
    const wrong = async (path: string, body: object, paths: string[]) => {
      const answer = await hub.supervisor.post(path, body);
      expect(answer.body).toMatchObject({ status: 422, code: 'LINK.INVALID' });
      expect(answer.body.errors!.map((error) => error.path)).toEqual(paths);
      for (const { allowed } of answer.body.errors!) expect(allowed).toBeTruthy();
    };
    const known = 'email:vera.v@example.com';
    await wrong('/v1/links', {}, ['$.identities', '$.reason']);
    await wrong('/v1/links', { identities: [known], reason }, ['$.identities']);
    await wrong('/v1/links', { identities: [known, known], reason }, ['$.identities']);
    await wrong('/v1/links', { identities: ['email:never@example.com', NOBODY], reason }, ['$.identities[0]', '$.identities[1]']);
    await wrong('/v1/links', { identities: [known, 'nonsense'], reason, tenant: 'x' }, ['$.tenant']);
    await wrong('/v1/links/preview', {}, ['$']);
    await wrong('/v1/links/preview', { link: [known, known], retract: NOBODY }, ['$']);
    await wrong('/v1/links/preview', { link: [known, known] }, ['$.link']);
    await wrong('/v1/links/preview', { link: [known, 'phone:anonymous'] }, ['$.link[1]']);
    await wrong(`/v1/links/${NOBODY}/retract`, {}, ['$.reason']);
    await wrong(`/v1/link-proposals/${NOBODY}/reject`, { because: 'x' }, ['$.because']);
    expect((await hub.supervisor.post('/v1/links', '{')).body).toMatchObject({ status: 400, code: 'REQUEST.NOT_JSON' });
  }); // prettier-ignore
});

const byId = (one: { id: string }, other: { id: string }): number => (one.id < other.id ? -1 : 1);

describe('proposals', () => {
  const account = (value: string) => ({ type: 'account', value, verified: true });
  const call = (value: string, phone: string) => ({
    ...contact([], { channel: 'phone', kind: 'call' }),
    customer: { identifiers: [account(value), identifierOf(phone)] },
  });
  const openOn = async (phone: string) =>
    (await proposals({ limit: 100 })).items.filter(({ between }) =>
      between.some(({ value }) => `phone:${value}` === phone),
    );

  it('say what the rules dare not decide, on what evidence and why, newest first and page by page', async () => {
    const phone = 'phone:+34600222021';
    await tell([call('D-1', phone), call('D-2', phone)]);
    const open = await openOn(phone);
    expect(open).toHaveLength(2);
    expect(open[0]).toEqual({
      id: expect.any(String) as unknown,
      proposedAt: expect.stringMatching(/^20\d\d-.*Z$/) as unknown,
      position: expect.any(Number) as unknown,
      evidence: 'same-interaction',
      confidence: 0.873,
      reason: 'conflicting-accounts',
      rule: expect.stringMatching(/^rules-2\+[0-9a-f]{8}$/) as unknown,
      between: expect.arrayContaining([expect.objectContaining({ type: 'phone', value: '+34600222021' })]) as unknown,
    });
    const all = (await proposals({ limit: 100 })).items;
    expect(all.map(({ position }) => position)).toEqual(all.map(({ position }) => position).toSorted((a, b) => b - a));
    const page = await proposals({ limit: 1 });
    const rest = await proposals({ limit: 1, before: page.next });
    expect([...page.items, ...rest.items]).toEqual(all.slice(0, 2));
    expect((await proposals({ limit: 1, after: rest.previous })).items).toEqual(page.items);
  });

  it('are confirmed and rejected for good', async () => {
    const phone = 'phone:+34600222022';
    await tell([call('E-1', phone), call('E-2', phone)]);
    const open = await openOn(phone);
    const of = (value: string) => open.find(({ between }) => between.some((end) => end.value === value))!.id;
    expect(await ruled(`/v1/link-proposals/${of('E-1')}/confirm`)).toMatchObject({ outcome: 'confirmed', link: of('E-1') });
    expect(await ruled(`/v1/link-proposals/${of('E-2')}/reject`, { reason })).toMatchObject({ outcome: 'rejected' });
    expect((await seenAs('account:E-1')).header.identities.map(({ value }) => value)).toEqual(['E-1', '+34600222022']);
    // Neither the same evidence nor more of it opens them again.
    await tell([call('E-2', phone), { ...call('E-2', phone), kind: 'identify' }, call('E-1', phone)]);
    expect(await openOn(phone)).toEqual([]);
    expect((await seenAs('account:E-2')).header.identities).toHaveLength(1);

    const { links } = await identitiesOf((await seenAs('account:E-2')).header.id);
    expect(links).toMatchObject([
      { status: 'rejected', decisions: [{ decision: 'proposed', reason: 'conflicting-accounts' }, { decision: 'rejected', reason }] },
    ]); // prettier-ignore
    // Saying it again changes nothing; the opposite is another command.
    expect(await ruled(`/v1/link-proposals/${of('E-2')}/reject`)).toMatchObject({ outcome: 'unchanged' });
    for (const path of [`link-proposals/${of('E-2')}/confirm`, `link-proposals/${of('E-1')}/reject`])
      expect((await hub.supervisor.post(`/v1/${path}`, '')).body).toMatchObject({ status: 409, code: 'LINK.CONFLICT' });
    await retract(of('E-1'));
    expect((await seenAs('account:E-1')).header.identities).toHaveLength(1);
  }); // prettier-ignore
});
