import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accountsOf, contact, postForm, sendMail } from './canary-deliveries.js';
import { Collector, type ReceivedSpan } from './collector.js';
import { HubProcess, cleanUp, temporaryDirectory } from './hub-process.js';
import { eventually } from './waiting.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';

jest.setTimeout(120_000);

describe('traces', () => {
  let collector: Collector;
  let hub: HubProcess;

  beforeAll(async () => {
    collector = await Collector.start();
    const dataDir = temporaryDirectory();
    const accounts = join(dataDir, 'accounts.yaml');
    writeFileSync(accounts, accountsOf(join(dataDir, 'queue_log')));
    writeFileSync(join(dataDir, 'queue_log'), '');
    hub = await HubProcess.start({
      dataDir,
      env: {
        HILO_ACCOUNTS_FILE: accounts,
        HILO_SMTP_PORT: '0',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_BSP_SCHEDULE_DELAY: '50',
        OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
      },
    });
  });

  afterAll(async () => {
    await cleanUp();
    await collector?.stop();
  });

  /** The spans of a trace, each under the one before it, once the last of them is there. */
  const line = (isFirst: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan[]> =>
    eventually(() => {
      const first = collector.spans.find(isFirst);
      if (!first) throw new Error('the first span is not there yet');
      const spans = [first];
      for (let last: ReceivedSpan | undefined = first; last;) {
        const parent: string = last.spanId;
        last = collector.spans.find(({ parentSpanId }) => parentSpanId === parent);
        if (last) spans.push(last);
      }
      if (spans.at(-1)!.name !== 'project') throw new Error(`the trace ends at ${spans.at(-1)!.name}`);
      return spans;
    }, 30_000);

  it('follow a posted contact from the request to the timeline, under the trace of who posted it', async () => {
    const integration = await hub.client('integration');
    const answer = await integration.post('/v1/interactions', contact, 'application/json', {
      traceparent: `00-${TRACE}-${CALLER}-01`,
    });
    expect(answer.status).toBe(202);
    const spans = await line(({ name }) => name === 'POST /v1/interactions');
    expect(spans.map(({ name }) => name)).toEqual(['POST /v1/interactions', 'publish', 'record', 'project']);
    expect(spans[0]!.parentSpanId).toBe(CALLER);
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
    expect(spans[0]!.attributes).toMatchObject({ 'http.response.status_code': 202 });
    expect(spans[2]!.attributes).toMatchObject({ 'hilo.channel': 'whatsapp', 'hilo.outcome': 'recorded' });
    expect(spans[3]!.attributes).toMatchObject({
      'hilo.event': 'InteractionRecorded',
      'hilo.position': spans[2]!.attributes['hilo.position'],
    });
    expect(new Set(spans.map(({ service }) => service))).toEqual(new Set(['hilo-hub']));
  });

  it('begin where a contact comes without one: a form, a mail', async () => {
    const anyone = await hub.client({ key: undefined });
    expect((await postForm(anyone, { email: 'amsel.form@example.net', message: 'Nestbau' })).status).toBeLessThan(300);
    const form = await line(({ name }) => name.startsWith('POST /v1/forms/'));
    expect(form[0]).toMatchObject({ name: 'POST /v1/forms/:account' });
    expect(form[0]!.parentSpanId).toBeUndefined();

    await sendMail(Number(/^SMTP: port (\d+)$/m.exec(hub.stdout)![1]));
    const mail = await line(({ name }) => name === 'SMTP DATA');
    expect(mail.map(({ name }) => name)).toEqual(['SMTP DATA', 'publish', 'record', 'project']);
    expect(mail[2]!.attributes).toMatchObject({ 'hilo.channel': 'email' });
  });

  it('leave alone what a caller does not want recorded', async () => {
    const integration = await hub.client('integration');
    const unsampled = { traceparent: `00-${'1'.repeat(32)}-${CALLER}-00` };
    await integration.post('/v1/interactions', { ...contact, externalId: 'quiet' }, 'application/json', unsampled);
    await integration.take({ ...contact, externalId: 'after it' });
    await eventually(() => expect(collector.spans.filter(({ name }) => name === 'project').length).toBe(4));
    expect(collector.text).not.toContain('1'.repeat(32));
  });

  it('hold nothing of what customers said or are called', async () => {
    const agent = await hub.client('agent');
    await agent.get('/v1/customers', { identifier: 'email:zaunkoenig.isolde@example.net' });
    await eventually(() => expect(collector.spans.map(({ name }) => name)).toContain('GET /v1/customers'));
    expect(collector.text).not.toMatch(/zaunk|nest|amsel|kanari|example\.net|7770131/i);
  });

  it('never hold up a hub whose collector is gone', async () => {
    await collector.stop();
    const integration = await hub.client('integration');
    expect(await integration.take({ ...contact, externalId: 'without collector' })).toMatchObject([
      { status: 'recorded' },
    ]);
    await eventually(() => expect(hub.stderr).toContain('traces: '));
    expect(await hub.stop()).toMatchObject({ code: 0 });
  });
});
