import { eventually } from '../../e2e/waiting.js';
import { Cluster } from './cluster.js';

jest.setTimeout(240_000);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
  await cluster.startPrograms();
});
afterAll(() => cluster.stop());

const contact = (id: string, more: object = {}) => ({
  channel: 'email',
  account: 'care@acme.example',
  externalId: id,
  kind: 'message',
  occurredAt: '2026-03-02T09:15:00Z',
  customer: { identifiers: [{ type: 'email', value: `${id.split('-')[0]}@example.com` }], name: 'Ana Ruiz' },
  subject: `Subject of ${id}`,
  text: `Text of ${id}`,
  ...more,
});

describe('the four programs on shared servers', () => {
  it('show on every timeline API what any ingest has taken', async () => {
    for (const nth of [0, 1]) {
      const [taken] = await (await cluster.client('ingest', 'integration', nth)).take(contact(`ana-${nth}`));
      expect(taken).toMatchObject({ status: 'accepted' });
    }
    for (const nth of [0, 1]) {
      const agent = await cluster.client('timeline-api', 'agent', nth);
      const { items } = await eventually(async () => {
        const { id } = await agent.customer('email:ana@example.com');
        const page = await agent.timeline(id);
        expect(page.items).toHaveLength(2);
        return page;
      });
      expect(items.map(({ subject }) => subject).toSorted()).toEqual(['Subject of ana-0', 'Subject of ana-1']);
    }
  });
});
