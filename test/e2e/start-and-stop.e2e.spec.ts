import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { IngestAnswer } from '#libs/channels/ingest/ingest.service.js';
import { contact, from } from './contacts.js';
import { HubProcess, cleanUp, temporaryDirectory } from './hub-process.js';
import { idsOf } from './staffed-hub.js';
import { eventually } from './waiting.js';

jest.setTimeout(300_000);
afterAll(cleanUp);

describe('starting and stopping', () => {
  it('refuses a second hub on the same directory, and says who has it', async () => {
    const dataDir = temporaryDirectory();
    const first = await HubProcess.start({ dataDir });
    const second = HubProcess.spawn({ dataDir });
    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(second.stderr).toMatch(
      /^hilo: .* is in use by hub \(process \d+, since .*\); stop it first, or set HILO_DATA_DIR/,
    );
    expect(second.stderr).toContain(`process ${first.pid},`);
    expect(second.stdout).toBe('');
    // The first one has not noticed.
    expect(await (await first.client('integration')).take(contact())).toMatchObject([{ status: 'recorded' }]);
    await first.stop();
  });

  it.each<[Record<string, string>, RegExp]>([
    [{ HILO_BUS_URL: 'carrier-pigeon:' }, /HILO_BUS_URL: .*carrier-pigeon.*embedded:/],
    [{ HILO_BUS_URL: 'kafka://' }, /HILO_BUS_URL: .*kafka:\/\/host:port/],
    [{ HILO_EVENT_STORE_URL: 'mysql://x' }, /HILO_EVENT_STORE_URL: .*mysql.*sqlite:/],
    [{ HILO_EVENT_STORE_URL: 'esdb://x' }, /HILO_EVENT_STORE_URL: .*esdb.*sqlite:/],
    [{ HILO_READ_MODEL_URL: 'mongodb://x' }, /HILO_READ_MODEL_URL: .*sqlite:/],
    [{ HILO_READ_MODEL_URL: 'postgres://x/y?schema=No-Good' }, /HILO_READ_MODEL_URL: schema /],
    [{ HILO_PORT: '70000' }, /HILO_PORT: /],
    [{ HILO_PORT: 'eighty', HILO_LOG_LEVEL: 'loud', HILO_DEFAULT_COUNTRY: 'Spain' }, /HILO_PORT: [^]*HILO_DEFAULT_COUNTRY: [^]*HILO_LOG_LEVEL: /],
    [{ HILO_ACCOUNTS_FILE: '/does/not/exist.yaml' }, /HILO_ACCOUNTS_FILE: .*exist\.yaml/],
    [{ HILO_SQLITE_DRIVER: 'berkeley' }, /HILO_SQLITE_DRIVER: .*berkeley.*libsql/],
  ])('ends with code 1 for %j, naming what is wrong', async (env, message) => {
    const hub = HubProcess.spawn({ dataDir: temporaryDirectory(), env });
    expect(await hub.exited).toEqual({ code: 1, signal: null });
    expect(hub.stderr).toMatch(message);
    for (const line of hub.stderr.trim().split('\n')) expect(line).toMatch(/^hilo: /);
    expect(hub.stdout).toBe('');
  }); // prettier-ignore

  it.each(['SIGTERM', 'SIGINT'] as const)('stops on %s with code 0, and goes on where it was with the same keys', async (signal) => {
    const dataDir = temporaryDirectory();
    const first = await HubProcess.start({ dataDir });
    const sender = await first.client('integration');
    const reader = await first.client('agent');
    const [taken] = await sender.take(contact(from('email:stays@example.com')));
    const { id } = await reader.customer('email:stays@example.com', taken!.position);
    // Somebody who watches does not keep it from stopping.
    const live = await reader.stream(id);
    expect(await first.stop(signal)).toEqual({ code: 0, signal: null });
    await live.ended;
    expect(first.stderr).toBe('');

    const second = await HubProcess.start({ dataDir });
    expect(second.key('agent')).toBe(first.key('agent'));
    expect(second.stdout).not.toContain(second.key('agent'));
    expect(second.stdout).toContain(`API keys: ${join(dataDir, 'api-keys.json')}`);
    const again = await second.client('agent');
    expect(idsOf(await again.timeline(id, { atLeast: taken!.position }))).toEqual([taken!.receipt]);
    expect(await second.stop(signal)).toEqual({ code: 0, signal: null });
  }); // prettier-ignore

  it('folds its timelines anew when they are lost, and shows all of them without further traffic', async () => {
    const dataDir = temporaryDirectory();
    const first = await HubProcess.start({ dataDir });
    const sender = await first.client('integration');
    const people = Array.from({ length: 30 }, (_, n) =>
      contact(from(`email:p${n}@example.com`, `phone:+3460000${1000 + n}`)),
    );
    await sender.take(people);
    const reader = await first.client('agent');
    await eventually(async () => expect((await reader.customer('phone:+34600001029')).identities).toHaveLength(2));
    const before = await reader.customer('phone:+34600001007');
    await first.stop();
    for (const end of ['', '-wal', '-shm']) rmSync(join(dataDir, `read-model.db${end}`), { force: true });
    const second = await HubProcess.start({ dataDir });
    const again = await second.client('agent');
    await eventually(async () => expect((await again.get('/readyz')).body).toMatchObject({ behind: 0 }), 30_000);
    expect(await again.customer('phone:+34600001007')).toEqual(before);
    await second.stop();
  });

  it('answers or refuses everything that is under way when it is stopped, and loses none of it', async () => {
    const dataDir = temporaryDirectory();
    const first = await HubProcess.start({ dataDir });
    const sender = await first.client('integration');
    const taken: string[] = [];
    let stopping = false;
    const send = async (): Promise<void> => {
      while (!stopping || first.isRunning) {
        const answer = await sender.post<IngestAnswer>('/v1/interactions', contact()).catch(() => undefined);
        if (answer?.status === 202) taken.push(answer.body.results[0]!.receipt!);
        else if (stopping) return;
        else throw new Error(`answered ${answer?.status} before it was stopped: ${answer?.text}`);
      }
    };
    const sending = Promise.all(Array.from({ length: 8 }, send));
    while (taken.length < 50) await eventually(() => expect(taken.length).toBeGreaterThanOrEqual(50));
    stopping = true;
    expect(await first.stop()).toEqual({ code: 0, signal: null });
    await sending;
    const second = await HubProcess.start({ dataDir });
    const reader = await second.client('agent');
    for (const receipt of taken) expect(await reader.receipt(receipt)).toMatchObject({ status: 'recorded' });
    await second.stop();
  });
});
