import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-base';
import { HubError } from '../errors.js';
import { openTracing } from './open-tracing.js';
import { OpenTelemetryTracing } from './opentelemetry.tracing.js';
import { inSpan, isSampled, readTraceparent } from './tracing.port.js';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('traces', () => {
  it.each([
    {},
    { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
    { ...ENDPOINT, OTEL_SDK_DISABLED: 'true' },
    { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' },
  ])('are off where nobody collects them (%#)', async (env) => {
    expect(await openTracing(env, 'hub')).toBeUndefined();
  });

  it('are on where an endpoint is named', async () => {
    const tracing = await openTracing(ENDPOINT, 'hub');
    expect(tracing).toBeDefined();
    await tracing?.close();
  });

  it('go on from their parent, and tell of a failure nothing but its code', async () => {
    const exporter = new InMemorySpanExporter();
    const tracing = OpenTelemetryTracing.to(exporter, 'hilo-test');
    const failing = inSpan(tracing, 'outer', { parent: PARENT }, () =>
      inSpan(tracing, 'inner', { parent: tracing.current() }, async () => {
        await Promise.resolve();
        throw new HubError('BUS.FULL', 'Ana waits');
      }),
    );
    await expect(failing).rejects.toThrow('Ana waits');
    expect(tracing.current()).toBeUndefined();
    const ended = new Promise<void>((resolve) => {
      const shutdown = exporter.shutdown.bind(exporter);
      exporter.shutdown = () => {
        const [inner, outer] = exporter.getFinishedSpans();
        expect(outer).toMatchObject({ name: 'outer', parentSpanContext: { spanId: 'b7ad6b7169203331' } });
        expect(inner).toMatchObject({
          name: 'inner',
          parentSpanContext: { spanId: outer!.spanContext().spanId },
          attributes: { 'error.type': 'BUS.FULL' },
        });
        expect(inner!.status.message).toBeUndefined();
        expect(inner!.spanContext().traceId).toBe('0af7651916cd43dd8448eb211c80319c');
        resolve();
        return shutdown();
      };
    });
    await tracing.close();
    await ended;
  });

  it('take no text of others for a traceparent that is none', () => {
    expect(readTraceparent(PARENT)).toBe(PARENT);
    for (const other of [
      undefined,
      1,
      '',
      `${PARENT}-x`,
      PARENT.toUpperCase(),
      PARENT.replace(/^00/, 'ff'),
      `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    ])
      expect(readTraceparent(other)).toBeUndefined();
    expect([PARENT, PARENT.replace(/01$/, '00')].map(isSampled)).toEqual([true, false]);
  });
});
