import { contact, from } from './contacts.js';
import type { Query } from './hub-client.js';
import { StaffedHub, expectProblem } from './staffed-hub.js';

jest.setTimeout(300_000);

describe('a hub and those who work with it', () => {
  const hub = new StaffedHub();
  const { tell, decide } = hub;

  describe('hands the history to analysts', () => {
    interface HistoryLine {
      position: number;
      type: string;
      tenant: string;
      data: { externalId?: string };
    }

    it('in order, from any position, filtered, and of one customer', async () => {
      const mine = from('email:tom@example.com');
      await tell(...Array.from({ length: 6 }, () => contact(mine)));
      const said = contact({ ...from('email:uma@example.com'), subject: 'Draft' });
      await tell(said);
      await tell({ ...said, revision: 2, subject: 'Final' });
      const record = { source: 'crm', externalId: 'pia', identifiers: [{ type: 'email', value: 'pia@example.com' }] };
      await hub.sender.take(record, '/v1/profiles');
      await decide();
      const analyst = await hub.process.client('analyst');
      const read = async (query: Query = {}): Promise<HistoryLine[]> => {
        const answer = await analyst.get('/v1/history/events', query);
        expect([answer.status, answer.headers.get('content-type')]).toEqual([
          200,
          'application/x-ndjson; charset=utf-8',
        ]);
        expect(answer.headers.get('hilo-head')).toMatch(/^\d+$/);
        return answer.text
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line) as HistoryLine);
      };
      const all = await read();
      const positions = all.map(({ position }) => position);
      expect(positions).toEqual([...new Set(positions)].toSorted((a, b) => a - b));
      expect(new Set(all.map(({ tenant }) => tenant))).toEqual(new Set(['demo']));
      expect(all.map(({ type }) => type)).toEqual(
        expect.arrayContaining(['InteractionRecorded', 'InteractionCorrected', 'ProfileImported', 'IdentitiesLinked']),
      );
      const middle = positions[Math.floor(positions.length / 2)]!;
      // Looks at customers are written down a moment later, and go on being written.
      const toPosition = positions.at(-1);
      expect(await read({ position: middle, toPosition })).toEqual(all.filter(({ position }) => position >= middle));
      expect(await read({ toPosition: middle, limit: 3 })).toEqual(all.slice(0, 3));
      expect(await read({ types: 'ProfileImported', toPosition })).toEqual(
        all.filter(({ type }) => type === 'ProfileImported'),
      );
      const { id } = await hub.reader.customer('email:tom@example.com');
      const told = (await read({ customer: id })).filter(({ type }) => type !== 'TimelineViewed');
      expect(told.map(({ type }) => type)).toEqual(Array(6).fill('InteractionRecorded'));
      expectProblem(await analyst.get('/v1/history/events', { typ: 'x' }), 422, 'HISTORY.INVALID');
      expectProblem(await analyst.get('/v1/history/events', { position: 'x' }), 422, 'HISTORY.INVALID');
    });
  });
});
