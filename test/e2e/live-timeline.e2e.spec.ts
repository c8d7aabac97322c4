import { contact, from } from './contacts.js';
import { StaffedHub } from './staffed-hub.js';

jest.setTimeout(300_000);

describe('a hub and those who work with it', () => {
  const hub = new StaffedHub();
  const { tell, decide } = hub;

  describe('streams', () => {
    it('what happens from now on, and what was missed, each entry once', async () => {
      const mine = from('email:live@example.com');
      const [first] = await tell(contact({ ...mine, text: 'before anybody watched' }));
      const { id } = await hub.reader.customer('email:live@example.com');
      const live = await hub.reader.stream(id);
      expect(live.response.headers.get('content-type')).toMatch(/^text\/event-stream/);
      const [second] = await hub.sender.take(contact({ ...mine, text: 'while somebody watched' }));
      // Somebody else's contact is not for these eyes.
      await hub.sender.take(contact(from('email:other.live@example.com')));
      const [third] = await hub.sender.take(contact({ ...mine, channel: 'chat' }));
      const seen = await live.nextOf(2);
      expect(seen.map(({ id: eventId, entry }) => [eventId, entry.id])).toEqual([
        [String(second!.position), second!.receipt],
        [String(third!.position), third!.receipt],
      ]);
      expect(seen[0]!.entry).toEqual(
        (await hub.reader.timeline(id)).items.find((entry) => entry.id === second!.receipt),
      );
      await live.close();

      const [fourth] = await tell(contact({ ...mine, text: 'while nobody watched' }));
      const resumed = await hub.reader.stream(id, seen[0]!.id);
      const [fifth] = await hub.sender.take(contact({ ...mine, text: 'after coming back' }));
      expect((await resumed.nextOf(3)).map(({ entry }) => entry.id)).toEqual(
        [third, fourth, fifth].map((result) => result!.receipt),
      );
      await resumed.close();

      const fromStart = await hub.reader.stream(id, '0');
      expect((await fromStart.nextOf(5)).map(({ entry }) => entry.id)).toEqual(
        [first, second, third, fourth, fifth].map((result) => result!.receipt),
      );
      await fromStart.close();
    });

    it('a correction, and the contacts of whoever has been linked meanwhile', async () => {
      const said = contact({ ...from('email:vera@example.com'), subject: 'Draft' });
      await tell(said);
      const live = await hub.reader.stream((await hub.reader.customer('email:vera@example.com')).id);
      await hub.sender.take({ ...said, revision: 2, subject: 'Final' });
      expect((await live.next()).entry).toMatchObject({ subject: 'Final', corrected: true });
      await tell(contact({ channel: 'sms', ...from('email:vera@example.com', 'phone:+34600000077') }));
      expect((await live.next()).entry).toMatchObject({ channel: 'sms' });
      await decide();
      await tell(contact({ channel: 'whatsapp', ...from('phone:+34600000077') }));
      expect((await live.next()).entry).toMatchObject({ channel: 'whatsapp' });
      await live.close();
    });

    it('a contact that only its own link brings to the customer', async () => {
      await tell(contact(from('email:wanda@example.com')));
      const { id } = await hub.reader.customer('email:wanda@example.com');
      const live = await hub.reader.stream(id);
      // It belongs to the loyalty number, of which nobody knew that it is hers.
      await tell(contact({ channel: 'store', ...from('email:wanda@example.com', 'loyalty:wanda') }));
      expect((await live.next()).entry).toMatchObject({ channel: 'store' });
      await live.close();
    });

    it('nothing for a place that is none', async () => {
      const { id } = await hub.reader.customer('email:live@example.com');
      const path = `/v1/customers/${id}/timeline/stream`;
      const answer = await hub.reader.request('GET', path, { headers: { 'last-event-id': 'x' } });
      expect(answer.body).toMatchObject({ status: 400, code: 'QUERY.INVALID' });
    });
  });
});
