import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProblemDetails } from '#libs/access/problem.js';
import type { IngestAnswer } from '#libs/channels/ingest/ingest.service.js';
import type { Answer } from './hub-client.js';
import { HubProcess, cleanUp, killAll, temporaryDirectory } from './hub-process.js';
import { LogAudit, compareWithLog, copyFiles } from './log-audit.js';
import { eventually } from './waiting.js';

jest.setTimeout(600_000);

const DISK = '24m';
/** Free bytes beside the ballast: enough to go on for a while, too few for what the test sends. */
const ROOM = 1024 * 1024;

const mounted: string[] = [];

const mountDisk = (directory: string): string => {
  mkdirSync(directory, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK},mode=700`, 'tmpfs', directory], { stdio: 'pipe' });
  mounted.push(directory);
  return directory;
};

const unmountAll = (): void => {
  for (const directory of mounted.splice(0)) execFileSync('umount', ['-l', directory], { stdio: 'pipe' });
};

/** Why no small disk can be had here; undefined where one can. */
const obstacle = ((): string | undefined => {
  if (process.platform !== 'linux') return `needs tmpfs, this is ${process.platform}`;
  const directory = temporaryDirectory();
  try {
    mountDisk(join(directory, 'trial'));
    return undefined;
  } catch (error) {
    return `needs to mount a tmpfs: ${String(error).split('\n', 1)[0]}`;
  } finally {
    unmountAll();
    rmSync(directory, { recursive: true, force: true });
  }
})();

const describeOnDisk = obstacle === undefined ? describe : describe.skip;

const contactOf = (number: number): object => ({
  channel: 'chat',
  account: 'disk',
  externalId: `contact-${number}`,
  kind: 'message',
  occurredAt: new Date(Date.UTC(2025, 0, 1) + number * 1000).toISOString(),
  customer: { identifiers: [{ type: 'email', value: 'full@example.com' }] },
  subject: `Contact ${number} ${'with much to say '.repeat(12)}`,
  text: `${number} ${'there is no end of words '.repeat(150)}`,
});

interface Batch {
  numbers: number[];
  results?: IngestAnswer['results'];
}

/** A disk that can be filled and freed. */
class Disk {
  private readonly ballast: string;

  constructor(readonly path: string) {
    this.ballast = join(path, 'ballast');
  }

  /** Takes all but a little of the space. */
  fill(): void {
    const { bavail, bsize } = statfsSync(this.path);
    writeFileSync(this.ballast, Buffer.alloc(Math.max(0, bavail * bsize - ROOM)));
  }

  free(): void {
    rmSync(this.ballast);
  }
}

const expectRefusal = ({ status, body, headers }: Answer<unknown>): void =>
  expect({ status, body, retryAfter: headers.get('retry-after'), type: headers.get('content-type') }).toMatchObject({
    status: 503,
    body: { status: 503, code: expect.stringMatching(/^(EVENT_STORE\.UNAVAILABLE|BUS\.CLOSED)$/) as unknown },
    retryAfter: expect.stringMatching(/^\d+$/) as unknown,
    type: expect.stringMatching(/^application\/problem\+json/) as unknown,
  });

/** Sends batches and remembers which were taken, which were refused, and of which nothing was heard. */
class Sender {
  readonly taken: Batch[] = [];
  readonly refused: Batch[] = [];
  readonly unheard: Batch[] = [];
  private next = 0;

  constructor(private readonly hub: HubProcess) {}

  async send(count = 10): Promise<'taken' | 'refused' | 'unheard'> {
    const numbers = Array.from({ length: count }, () => this.next++);
    const client = await this.hub.client('integration');
    const answer = await client
      .post<IngestAnswer | ProblemDetails>('/v1/interactions', numbers.map(contactOf))
      .catch(() => undefined);
    // A hub that is about to end may answer 503 in the words of its HTTP server.
    if (!answer || !(answer.status === 202 || 'code' in answer.body)) {
      this.unheard.push({ numbers });
      return 'unheard';
    }
    if ('results' in answer.body) {
      this.taken.push({ numbers, results: (answer.body as IngestAnswer).results });
      return 'taken';
    }
    this.refused.push({ numbers });
    expectRefusal(answer);
    return 'refused';
  }

  lastPosition(): number {
    return Math.max(...this.taken.flatMap(({ results }) => results!.map(({ position }) => position!)));
  }
}

const behind = async (hub: HubProcess): Promise<number> =>
  (await (await hub.client('agent')).get<{ behind: number }>('/readyz')).body.behind;

const caughtUp = (hub: HubProcess): Promise<void> => eventually(async () => expect(await behind(hub)).toBe(0));

/** What was taken is there once, nothing of what was refused is, and the read model is the fold of the log. */
const expectWhole = async (hub: HubProcess, { taken, refused, unheard }: Sender): Promise<void> => {
  const client = await hub.client('integration');
  for (const { numbers, results } of taken) {
    const again = await client.take(numbers.map(contactOf));
    expect(again.map(({ status, receipt, position }) => [status, receipt, position])).toEqual(
      results!.map(({ receipt, position }) => ['duplicate', receipt, position]),
    );
  }
  for (const { numbers } of refused) {
    const again = await client.take(numbers.map(contactOf));
    expect(again.map(({ status }) => status)).toEqual(numbers.map(() => 'recorded'));
  }
  for (const { numbers } of unheard) {
    // Whole or not at all.
    const again = await client.take(numbers.map(contactOf));
    expect(new Set(again.map(({ status }) => status)).size).toBe(1);
  }
  await caughtUp(hub);
  const contacts = [...taken, ...refused, ...unheard].reduce((sum, { numbers }) => sum + numbers.length, 0);
  const { interactions } = await (await hub.client('agent')).customer('email:full@example.com');
  expect(interactions).toBe(contacts);
  expect(await hub.stop()).toEqual({ code: 0, signal: null });
  const audit = await new LogAudit().read(hub.dataDir);
  expect([audit.faults, audit.recorded]).toEqual([[], contacts]);
  const { found, folded, rebuilt } = await compareWithLog(copyFiles(hub.dataDir, join(temporaryDirectory(), 'copy')));
  expect(folded).toEqual(found);
  expect(rebuilt).toEqual(found);
};

describeOnDisk(`on a full disk${obstacle === undefined ? '' : ` (left out: ${obstacle})`}`, () => {
  let disk: Disk;
  let hub: HubProcess;
  let sender: Sender;

  /** Starts a hub of which these files lie on a small disk; without names everything does. */
  const start = async (...files: string[]): Promise<void> => {
    disk = new Disk(mountDisk(join(temporaryDirectory(), 'small')));
    const dataDir = files.length === 0 ? join(disk.path, 'data') : temporaryDirectory();
    for (const file of files) symlinkSync(join(disk.path, file), join(dataDir, file));
    hub = await HubProcess.start({ dataDir });
    sender = new Sender(hub);
    expect(await sender.send()).toBe('taken');
    await caughtUp(hub);
  };

  afterEach(async () => {
    await killAll();
    unmountAll();
    await cleanUp();
  });

  it('the log refuses with 503 and Retry-After, and takes contacts again as soon as there is space', async () => {
    await start('events.db');
    disk.fill();
    while (sender.refused.length < 20) await sender.send(1 + (sender.refused.length % 20));
    // It lives, and shows what it has.
    const reader = await hub.client('agent');
    expect((await reader.get('/livez')).status).toBe(200);
    const { id } = await reader.customer('email:full@example.com', sender.lastPosition());
    expect((await reader.timeline(id)).items.length).toBeGreaterThan(0);
    disk.free();
    await eventually(async () => expect(await sender.send()).toBe('taken'));
    await expectWhole(hub, sender);
  });

  /**
   * What timelines are folded into can be folded again, so no contact may be lost for it. A hub that ends nevertheless
   * says why, and a start with space heals it.
   */
  const recover = async (): Promise<void> => {
    const survived = hub.isRunning;
    disk.free();
    if (!survived) {
      expect((await hub.exited).code).toBe(1);
      expect(hub.stderr).toMatch(/^hilo: .*(disk is full|cannot be written)/m);
      hub = await HubProcess.start({ dataDir: hub.dataDir });
    }
    process.stdout.write(`the hub ${survived ? 'has lived through it' : 'has ended, and was started again'}\n`);
    await caughtUp(hub);
    await expectWhole(hub, sender);
  };

  it('the timelines lose nothing when there is no space for them', async () => {
    await start('read-model.db', 'identity.db');
    disk.fill();
    for (let sent = 0; sent < 300 && hub.isRunning; sent++) await sender.send();
    // Given the time to catch up it would do so, if there were space.
    const ended = hub.exited.then(() => true);
    for (let tries = 0; tries < 10 && !(await Promise.race([ended, sleep(500, false)])); tries++)
      expect(await behind(hub).catch(() => 'it is ending')).not.toBe(0);
    await recover();
  });

  it('the whole hub loses nothing and records nothing by halves when all of it lies there', async () => {
    await start();
    disk.fill();
    for (let sent = 0; sent < 300 && hub.isRunning && sender.refused.length < 30; sent++) await sender.send();
    expect(sender.refused.length + sender.unheard.length).toBeGreaterThan(0);
    await recover();
  });
});
