import { exposedMetrics } from '../../deploy/exposed-metrics.js';
import { queries } from '../../deploy/files.js';
import { metricsIn } from '../../deploy/promql.js';
import { Collector, type ReceivedSpan } from '../../e2e/collector.js';
import { eventually } from '../../e2e/waiting.js';
import { Cluster } from './cluster.js';

jest.setTimeout(240_000);

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

describe('who watches the four programs', () => {
  let collector: Collector;
  let cluster: Cluster;
  beforeAll(async () => {
    collector = await Collector.start();
    cluster = await Cluster.start({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '50' });
    await cluster.startPrograms();
  });
  afterAll(async () => {
    await cluster?.stop();
    await collector?.stop();
  });

  it('sees one contact go from the edge to the timeline, in one trace', async () => {
    const sender = await cluster.client('ingest', 'integration');
    const contact = {
      channel: 'chat',
      account: 'web',
      externalId: 'traced-1',
      kind: 'message',
      occurredAt: '2026-03-02T09:15:00Z',
      customer: { identifiers: [{ type: 'email', value: 'zaunkoenig@example.net' }], name: 'Isolde Zaunkönig' },
      text: 'Das Nest kam ohne Deckel',
    };
    const traceparent = `00-${TRACE}-00f067aa0ba902b7-01`;
    expect((await sender.post('/v1/interactions', contact, 'application/json', { traceparent })).status).toBe(202);
    const line = await eventually(() => {
      const spans = collector.spans.filter(({ traceId }) => traceId === TRACE);
      const under = (id: string): ReceivedSpan[] => {
        const next = spans.find(({ parentSpanId }) => parentSpanId === id);
        return next ? [next, ...under(next.spanId)] : [];
      };
      const found = under('00f067aa0ba902b7');
      expect(found).toHaveLength(4);
      return found;
    });
    expect(line.map(({ service, name }) => [service, name])).toEqual([
      ['hilo-ingest', 'POST /v1/interactions'],
      ['hilo-ingest', 'publish'],
      ['hilo-recorder', 'record'],
      ['hilo-projector', 'project'],
    ]);
    expect(collector.text).not.toMatch(/zaunk|nest|deckel/i);
  });

  it('asks for metrics that the programs have, and leaves out none of theirs', async () => {
    const texts = cluster.programs.map(async (program) => (await fetch(`${await program.url()}/metrics`)).text());
    const known = new Set((await Promise.all(texts)).flatMap(exposedMetrics));
    // Prometheus makes it itself, for whatever it asks.
    known.add('up');
    const named = new Set(queries().flatMap(([, query]) => metricsIn(query) ?? []));
    expect([...named].filter((name) => !known.has(name))).toEqual([]);
    const ours = [...known].filter((name) => name.startsWith('hilo_') && !/_(sum|count)$/.test(name));
    expect(ours.filter((name) => !named.has(name))).toEqual([]);
  });
});
