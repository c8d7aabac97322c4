import type { IngestAnswer } from '#libs/channels/ingest/ingest.service.js';
import type { TimelineEntryDto, TimelinePageDto } from '#libs/queries/timeline/timeline.dto.js';
import { DAY_MS, at, contact, from } from './contacts.js';
import type { Query } from './hub-client.js';
import { randomOf, seedOf } from './random.js';
import { StaffedHub, expectProblem, idsOf } from './staffed-hub.js';

jest.setTimeout(300_000);

describe('a hub and those who work with it', () => {
  const hub = new StaffedHub();
  const { tell, decide } = hub;

  describe('shows a timeline', () => {
    const who = 'email:tom@example.com';
    let tom: string;
    let told: IngestAnswer['results'];

    beforeAll(async () => {
      const mine = from(who);
      told = await tell(
        contact({ ...mine, occurredAt: at(1), subject: 'First', text: 'Hello   there,\n\nhow are you?', threadId: 't-1' }),
        contact({ ...mine, occurredAt: at(2), channel: 'phone', account: 'line', kind: 'call', outcome: 'resolved', agent: 'ag-1', endedAt: at(2, 60_000) }),
        contact({ ...mine, occurredAt: at(3), channel: 'chat', direction: 'outbound', text: 'x'.repeat(500) }),
        contact({ ...mine, occurredAt: at(4), channel: 'store', kind: 'visit', attributes: { till: 4 } }),
        contact({ ...mine, occurredAt: at(5), subject: 'Re: First', direction: 'outbound', threadId: 't-1', html: '<p>Fine</p>' }),
        contact({ ...mine, occurredAt: new Date().toISOString(), channel: 'social', kind: 'feedback' }),
      ); // prettier-ignore
      tom = (await hub.reader.customer(who)).id;
    });

    const shown = async (query: Query): Promise<number[]> =>
      idsOf(await hub.reader.timeline(tom, query)).map((id) => told.findIndex(({ receipt }) => receipt === id) + 1);

    it('newest first, whatever the order of arrival, in light entries', async () => {
      const { items, next, previous } = await hub.reader.timeline(tom);
      expect(idsOf({ items })).toEqual(told.map(({ receipt }) => receipt).toReversed());
      expect([next, previous]).toEqual([undefined, undefined]);
      const [, , , , call, mail] = items as [...TimelineEntryDto[]];
      expect(mail).toEqual({
        id: told[0]!.receipt,
        conversation: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
        channel: 'email',
        account: 'care@acme.example',
        kind: 'message',
        direction: 'inbound',
        occurredAt: at(1),
        recordedAt: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
        position: told[0]!.position,
        late: true,
        corrected: false,
        subject: 'First',
        preview: 'Hello there, how are you?',
      });
      expect(call).toMatchObject({ outcome: 'resolved', agent: 'ag-1', late: true });
      expect(items[0]).toMatchObject({ channel: 'social', late: false });
      expect(items[3]!.preview!.length).toBeLessThanOrEqual(120);
    });

    it.each<[Query, number[]]>([
      [{ channel: 'email' }, [5, 1]],
      [{ channel: 'email,phone' }, [5, 2, 1]],
      [{ channel: 'fax' }, []],
      [{ kind: 'call,visit' }, [4, 2]],
      [{ direction: 'outbound' }, [5, 3]],
      [{ direction: 'inbound,internal' }, [6, 4, 2, 1]],
      [{ from: at(3) }, [6, 5, 4, 3]],
      [{ to: at(3) }, [2, 1]],
      [{ from: at(2), to: at(4) }, [3, 2]],
      [{ from: '2025-03-03T01:00:00+01:00', to: '2025-03-03T00:00:00.001Z' }, [2]],
      [{ from: at(5), to: at(1) }, []],
      [{ channel: 'email', direction: 'outbound', kind: 'message' }, [5]],
      [{ limit: 2 }, [6, 5]],
    ])('filtered by %j', async (query, expected) => {
      expect(await shown(query)).toEqual(expected);
    });

    it('with the bodies, where they are asked for', async () => {
      const bodies = (await hub.reader.timeline(tom, { include: 'body' })).items.map(({ body }) => body);
      expect(bodies).toEqual([
        {},
        { html: '<p>Fine</p>' },
        { attributes: { till: 4 } },
        { text: 'x'.repeat(500) },
        {},
        { text: 'Hello   there,\n\nhow are you?' },
      ]);
    });

    it.each<[Query]>([
      [{ limit: 0 }],
      [{ limit: 101 }],
      [{ limit: -1 }],
      [{ limit: 'ten' }],
      [{ limit: 1.5 }],
      [{ before: 'x' }],
      [{ after: '*' }],
      [{ before: Buffer.from('1.2.3').toString('base64url') }],
      [{ before: Buffer.from('1.2').toString('base64url'), after: Buffer.from('1.2').toString('base64url') }],
      [{ kind: 'chat' }],
      [{ direction: 'up' }],
      [{ from: 'yesterday' }],
      [{ to: '2025-03-02' }],
      [{ include: 'everything' }],
      [{ chanel: 'email' }],
      [{ atLeast: 'x' }],
      [{ asOf: 'yesterday' }],
      [{ asOf: '2026-03-02T12:00:00' }],
      [{ asOfPosition: 'x' }],
      [{ asOfPosition: 1e15 }],
      [{ asOf: at(1), asOfPosition: 1 }],
      [{ to: at(1), occurredTo: at(1) }],
    ])('not for %j: it says what is allowed', async (query) => {
      const answer = await hub.reader.get(`/v1/customers/${tom}/timeline`, query);
      expectProblem(answer, 400, 'QUERY.INVALID');
      expect(answer.body.detail).toMatch(/allowed|give|pass/);
      const ofThePast = 'asOf' in query || 'asOfPosition' in query;
      expect(answer.body.detail.startsWith('asOf')).toBe(ofThePast);
      if (ofThePast) {
        const { conversation } = await hub.reader.interaction(told[0]!.receipt!);
        for (const path of [
          `/v1/customers/${tom}`,
          `/v1/conversations/${conversation}`,
          `/v1/interactions/${told[0]!.receipt}`,
        ])
          expectProblem(await hub.reader.get(path, query), 400, 'QUERY.INVALID');
      }
      if ('include' in query || 'chanel' in query || 'asOf' in query) return;
      // The conversation's pages are bounded alike.
      if ('limit' in query || 'before' in query || 'after' in query) {
        const { conversation } = await hub.reader.interaction(told[0]!.receipt!);
        expectProblem(await hub.reader.get(`/v1/conversations/${conversation}`, query), 400, 'QUERY.INVALID');
      }
    });

    it('as it was known, before a correction and a merge', async () => {
      const [vera, phone] = ['email:vera@example.com', 'phone:+34600009001'];
      const said = contact({ ...from(vera), occurredAt: at(1), subject: 'Draft', text: 'a draft', threadId: 'vera' });
      const [first, second] = await tell(said, contact({ channel: 'sms', ...from(phone), occurredAt: at(2) }));
      const { id } = await hub.reader.customer(vera);
      const caller = await hub.reader.customer(phone);
      const { conversation } = await hub.reader.interaction(first!.receipt!);
      const before = { asOf: (await hub.reader.timeline(caller.id)).items[0]!.recordedAt };
      // The clock counts in milliseconds: what comes next is recorded later.
      await new Promise((resolve) => setTimeout(resolve, 5));
      await tell(
        { ...said, revision: 2, subject: 'Final', text: 'the end', occurredAt: at(3) },
        contact({ channel: 'store', ...from(vera, phone), customer: { ...(from(vera, phone) as { customer: object }).customer, name: 'Vera' }, occurredAt: at(4) }),
      ); // prettier-ignore
      await decide();
      expect(idsOf(await hub.reader.timeline(caller.id))).toHaveLength(3);

      const then = await hub.reader.timeline(id, { ...before, include: 'body' });
      expect(then).toMatchObject({
        asOfPosition: second!.position,
        items: [
          { id: first!.receipt, subject: 'Draft', corrected: false, occurredAt: at(1), body: { text: 'a draft' } },
        ],
      });
      expect(idsOf(then)).toHaveLength(1);
      // The position says the same, for ever.
      expect(await hub.reader.timeline(id, { asOfPosition: then.asOfPosition, include: 'body' })).toEqual(then);
      expect(idsOf(await hub.reader.timeline(caller.id, before))).toEqual([second!.receipt]);
      const header = await hub.reader.mustGet<{
        id: string;
        interactions: number;
        name?: string;
        identities: object[];
      }>(`/v1/customers/${caller.id}`, before);
      expect(header).toMatchObject({ id: caller.id, interactions: 1, asOfPosition: second!.position });
      expect([header.name, header.identities]).toEqual([undefined, [expect.objectContaining({ id: caller.id })]]);
      const found = await hub.reader.mustGet<{ items: object[] }>('/v1/customers', { identifier: phone, ...before });
      expect(found).toMatchObject({ items: [{ id: caller.id }], asOfPosition: second!.position });
      expect(await hub.reader.conversation(conversation, before)).toMatchObject({
        customers: [id],
        items: [{ subject: 'Draft' }],
      });
      expect(await hub.reader.mustGet(`/v1/interactions/${first!.receipt}`, before)).toMatchObject({
        revision: 1,
        subject: 'Draft',
        body: { text: 'a draft' },
        asOfPosition: second!.position,
      });

      // Another clock: of what was known then, what had happened by an instant.
      expect(idsOf(await hub.reader.timeline(id, { ...before, occurredTo: at(1) }))).toEqual([]);
      // Before the first event nobody was known; an instant to come shows everything.
      for (const path of [`/v1/customers/${id}`, `/v1/customers/${id}/timeline`])
        expectProblem(await hub.reader.get(path, { asOf: at(1) }), 404, 'NOT_FOUND');
      expect(await hub.reader.mustGet('/v1/customers', { identifier: vera, asOf: at(1) })).toEqual({
        items: [],
        asOfPosition: 0,
      });
      const future = { asOf: new Date(Date.now() + DAY_MS).toISOString(), limit: 1 };
      const newest = await hub.reader.timeline(id, future);
      expect(idsOf(newest)).toEqual(idsOf(await hub.reader.timeline(id, { limit: 1 })));

      // A cursor stays with its past, also where more has been recorded up to the instant since.
      await tell(contact({ ...from(vera), occurredAt: at(2, 1) }));
      const older = await hub.reader.timeline(id, { ...future, before: newest.next });
      expect([older.asOfPosition, older.items[0]!.occurredAt]).toEqual([newest.asOfPosition, at(3)]);
      for (const query of [{}, before, { asOfPosition: newest.asOfPosition! - 1 }]) {
        const refused = await hub.reader.get(`/v1/customers/${id}/timeline`, { ...query, before: newest.next });
        expectProblem(refused, 400, 'QUERY.INVALID');
        expect(refused.body.detail).toMatch(/^before: is a cursor of asOfPosition=/);
      }
      const { next } = await hub.reader.timeline(id, { limit: 1 });
      expectProblem(
        await hub.reader.get(`/v1/customers/${id}/timeline`, { ...before, before: next }),
        400,
        'QUERY.INVALID',
      );
    });

    it('corrected by a higher revision, in its place in time, and not by a lower one', async () => {
      const said = contact({ ...from('email:uma@example.com'), occurredAt: at(10), subject: 'Draft' });
      const [first] = await tell(said, contact({ ...from('email:uma@example.com'), occurredAt: at(20) }));
      const { id } = await hub.reader.customer('email:uma@example.com');
      const [better] = await tell({ ...said, revision: 3, occurredAt: at(30), subject: 'Final' });
      expect(better).toMatchObject({ status: 'corrected', receipt: first!.receipt });
      expect((await tell({ ...said, revision: 2, subject: 'Between' }))[0]).toMatchObject({ status: 'duplicate' });
      const { items } = await hub.reader.timeline(id);
      expect(items).toHaveLength(2);
      expect(items[0]).toMatchObject({
        id: first!.receipt,
        subject: 'Final',
        corrected: true,
        occurredAt: at(30),
        position: first!.position,
      });
      expect(items[1]).toMatchObject({ corrected: false });
      expect(await hub.reader.interaction(first!.receipt!)).toMatchObject({
        revision: 3,
        corrected: true,
        position: first!.position,
        lastPosition: better!.position,
        subject: 'Final',
      });
      expect(await hub.sender.receipt(first!.receipt!)).toMatchObject({
        status: 'corrected',
        position: better!.position,
      });
    });

    it('of which one contact and one conversation can be seen whole', async () => {
      const whole = await hub.reader.interaction(told[4]!.receipt!);
      expect(whole).toMatchObject({
        id: told[4]!.receipt,
        externalId: expect.stringMatching(/^contact-/) as unknown,
        threadId: 't-1',
        direction: 'outbound',
        revision: 1,
        customer: tom,
        identifiers: [{ type: 'email', value: 'tom@example.com', identity: tom }],
        body: { html: '<p>Fine</p>' },
      });
      expect(whole).not.toHaveProperty('digest');
      const thread = await hub.reader.conversation(whole.conversation, { include: 'body' });
      expect(thread).toMatchObject({ id: whole.conversation, customers: [tom] });
      expect(idsOf(thread)).toEqual([told[4]!.receipt, told[0]!.receipt]);
      expect(thread.items[0]!.body).toEqual({ html: '<p>Fine</p>' });
      const page = await hub.reader.conversation(whole.conversation, { limit: 1 });
      const rest = await hub.reader.conversation(whole.conversation, { limit: 1, before: page.next });
      expect([idsOf(page), idsOf(rest), rest.next]).toEqual([[told[4]!.receipt], [told[0]!.receipt], undefined]);
    });

    it('only once it shows what was asked for with atLeast', async () => {
      const [taken] = await hub.sender.take(contact(from('email:at.least@example.com')));
      const { id } = await hub.reader.customer('email:at.least@example.com', taken!.position);
      const [more] = await hub.sender.take(contact({ ...from('email:at.least@example.com'), occurredAt: at(50) }));
      const { items } = await hub.reader.timeline(id, { atLeast: more!.position });
      expect(items[0]!.id).toBe(more!.receipt);
      const never = await hub.reader.get(`/v1/customers/${id}/timeline`, { atLeast: 10_000_000 });
      expectProblem(never, 503, 'READ_MODEL.BEHIND');
      expect(never.headers.get('retry-after')).toMatch(/^\d+$/);
    });
  });

  describe('pages', () => {
    it('neither skip nor repeat, in both directions, while late contacts arrive between them', async () => {
      const random = randomOf(seedOf('HILO_PAGES_SEED'));
      const mine = from('email:paging@example.com');
      // Several at one instant: the place in the log tells them apart.
      const someday = () => at(Math.floor(random() * 12), Math.floor(random() * 3));
      const fresh = () => contact({ ...mine, occurredAt: someday(), channel: random() < 0.5 ? 'email' : 'chat' });
      await tell(...Array.from({ length: 60 }, fresh));
      const { id } = await hub.reader.customer('email:paging@example.com');
      const whole = async (): Promise<TimelineEntryDto[]> => {
        const entries: TimelineEntryDto[] = [];
        for (let before: string | undefined; ;) {
          const { items, next } = await hub.reader.timeline(id, { limit: 100, before });
          entries.push(...items);
          if (next === undefined) return entries;
          before = next;
        }
      };

      for (const filter of [{}, { channel: 'email' }] as Query[]) {
        const isWanted = ({ channel }: TimelineEntryDto) => !('channel' in filter) || channel === filter.channel;
        for (const direction of ['older', 'newer'] as const) {
          const before = (await whole()).filter(isWanted);
          const limit = 1 + Math.floor(random() * 8);
          let seen: TimelineEntryDto[] = [];
          // The way back begins behind the oldest entry.
          let page: TimelinePageDto =
            direction === 'older'
              ? await hub.reader.timeline(id, { ...filter, limit })
              : await hub.reader.timeline(id, { ...filter, limit, after: Buffer.from('0.0').toString('base64url') });
          for (;;) {
            expect(page.items.length).toBeLessThanOrEqual(limit);
            seen = direction === 'older' ? [...seen, ...page.items] : [...page.items, ...seen];
            if (random() < 0.4) await tell(fresh(), fresh());
            const cursor = direction === 'older' ? page.next : page.previous;
            if (cursor === undefined) break;
            page = await hub.reader.timeline(id, {
              ...filter,
              limit,
              ...(direction === 'older' ? { before: cursor } : { after: cursor }),
            });
          }
          expect(new Set(idsOf({ items: seen })).size).toBe(seen.length);
          // Everything that was there before, and whatever came meanwhile in its place.
          expect(idsOf({ items: seen })).toEqual(expect.arrayContaining(idsOf({ items: before })));
          const after = (await whole()).filter(isWanted).map(({ id: entry }) => entry);
          const places = seen.map(({ id: entry }) => after.indexOf(entry));
          expect(places).toEqual(places.toSorted((a, b) => a - b));
          expect(places).not.toContain(-1);
        }
      }

      // There and back again: the page before the page after is the page.
      const first = await hub.reader.timeline(id, { limit: 7 });
      const second = await hub.reader.timeline(id, { limit: 7, before: first.next });
      const back = await hub.reader.timeline(id, { limit: 7, after: second.previous });
      expect(idsOf(back)).toEqual(idsOf(first));
      expect(idsOf(await hub.reader.timeline(id, { limit: 7, before: back.next }))).toEqual(idsOf(second));
      // The newest page knows no newer one until something newer comes.
      expect(first.previous).toBeUndefined();
      expect(back.previous).toBeUndefined();
    });
  });
});
