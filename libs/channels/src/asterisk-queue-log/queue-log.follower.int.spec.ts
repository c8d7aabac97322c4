import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { HubSettings } from '#libs/kernel/settings.js';
import { accountOf, receivedAtMs } from '../channel-adapter.contract.js';
import type { ParsedInteraction } from '../channel-adapter.port.js';
import { busFull, recordingEdge } from '../intake/recording-edge.contract.js';
import { QueueLogFollower } from './queue-log.follower.js';
import { QueueLogTail } from './queue-log.tail.js';

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

const log = () => {
  const folder = mkdtempSync(join(tmpdir(), 'hilo-queue-'));
  folders.push(folder);
  const file = join(folder, 'queue_log');
  const stateFile = join(folder, 'state', 'place.json');
  const told: ParsedInteraction[] = [];
  const warnings: string[] = [];
  const control = { refuse: false, nowMs: 1772442929_000 };
  const follower = () =>
    new QueueLogFollower({
      file,
      stateFile,
      account: 'q',
      maxOpenHours: 24,
      publish: (contacts) =>
        control.refuse ? Promise.reject(busFull()) : Promise.resolve(void told.push(...contacts)),
      ignored: () => undefined,
      nowMs: () => control.nowMs,
      warn: (message) => void warnings.push(message),
    });
  return {
    file,
    stateFile,
    told,
    warnings,
    control,
    follower,
    write: (...lines: string[]) => appendFileSync(file, lines.map((line) => `${line}\n`).join('')),
  };
};

const enter = (id: number, at = id) => `${at}|${id}.1|support|NONE|ENTERQUEUE||+15125550${id % 1000}|1`;
const connect = (id: number, at = id + 5) => `${at}|${id}.1|support|ana|CONNECT|5|x|2`;
const complete = (id: number, at = id + 65) => `${at}|${id}.1|support|ana|COMPLETECALLER|5|60|1`;
const ids = (told: readonly ParsedInteraction[]) => told.map((call) => call.externalId);
const [a, b, c] = [1772442001, 1772442002, 1772442003] as const;

describe('following a queue log', () => {
  it('waits for a file that is not there yet, and reads what is appended', async () => {
    const { follower, told, write } = log();
    const reading = follower();
    await reading.poll();
    write(enter(a), connect(a));
    await reading.poll();
    expect(told).toEqual([]);
    write(complete(a));
    await reading.poll();
    expect(ids(told)).toEqual([`${a}.1`]);
    await reading.close();
  });

  it('waits for the rest of a half-written line, also within a character', async () => {
    const { file, follower, told, write } = log();
    const reading = follower();
    write(enter(a));
    const line = Buffer.from(complete(a).replace('ana', 'Zoë'));
    for (const piece of [line.subarray(0, 40), line.subarray(40, 41), line.subarray(41)]) {
      await reading.poll();
      expect(told).toEqual([]);
      appendFileSync(file, piece);
    }
    await reading.poll();
    expect(told).toEqual([]);
    appendFileSync(file, '\n');
    await reading.poll();
    expect(told[0]?.agent).toBe('Zoë');
    await reading.close();
  });

  it('goes on where it was, with the calls that were open, and tells none twice differently', async () => {
    const { follower, told, write } = log();
    const first = follower();
    write(enter(a), enter(b), connect(b), complete(b), enter(c));
    await first.poll();
    expect(ids(told)).toEqual([`${b}.1`]);
    await first.close(); // as after a crash: nothing else is told to it
    write(connect(a), complete(a), complete(c));
    const second = follower();
    await second.poll();
    expect(ids(told).toSorted()).toEqual([`${a}.1`, `${b}.1`, `${b}.1`, `${c}.1`].toSorted());
    const [one, two] = told.filter((call) => call.externalId === `${b}.1`);
    expect(one).toEqual(two);
    expect(told.find((call) => call.externalId === `${a}.1`)?.agent).toBe('ana');
    await second.close();
    // With no call open the place is the end: nothing is read again.
    const third = follower();
    await third.poll();
    expect(told).toHaveLength(4);
    await third.close();
  });

  it('remembers nothing as read that was not taken', async () => {
    const { follower, told, write, control } = log();
    write(enter(a), complete(a));
    control.refuse = true;
    const first = follower();
    await expect(first.poll()).rejects.toMatchObject({ code: 'BUS.FULL' });
    await expect(first.poll()).rejects.toMatchObject({ code: 'BUS.FULL' });
    await first.close();
    control.refuse = false;
    const second = follower();
    await second.poll();
    expect(ids(told)).toEqual([`${a}.1`]);
    await second.close();
  });

  it('follows a rotation by rename, with a call that is open across it and lines written late to the old file', async () => {
    const { file, follower, told, write, warnings } = log();
    const reading = follower();
    write(enter(a), connect(a));
    await reading.poll();
    renameSync(file, `${file}.1`);
    appendFileSync(`${file}.1`, `${enter(b)}\n`);
    writeFileSync(file, '');
    await reading.poll();
    appendFileSync(`${file}.1`, `${complete(b)}\n`);
    write(complete(a));
    await reading.poll();
    expect(ids(told).toSorted()).toEqual([`${a}.1`, `${b}.1`]);
    expect(told.find((call) => call.externalId === `${a}.1`)?.agent).toBe('ana');
    await reading.close();
    expect(warnings).toEqual([]);
  });

  it('reads all files that were rotated while it was away', async () => {
    const { file, follower, told, write, warnings } = log();
    const first = follower();
    write(enter(a));
    await first.poll();
    await first.close();
    renameSync(file, `${file}.2`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    write(connect(a), enter(b));
    renameSync(file, `${file}.1`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    write(complete(a), complete(b));
    const second = follower();
    await second.poll();
    expect(ids(told)).toEqual([`${a}.1`, `${b}.1`]);
    expect(warnings).toEqual([]);
    await second.close();
  });

  it('says so when the file read last is gone, even if its inode has come back', async () => {
    const { file, follower, told, write, warnings } = log();
    const first = follower();
    write(enter(a));
    await first.poll();
    renameSync(file, `${file}.gone`);
    await first.close();
    rmSync(`${file}.gone`);
    write(enter(b), complete(b));
    const second = follower();
    await second.poll();
    expect(ids(told)).toEqual([`${b}.1`]);
    expect(warnings).toHaveLength(1);
    await second.close();
  });

  it('starts again in a file that was emptied in place', async () => {
    const { file, follower, told, write } = log();
    const reading = follower();
    write(enter(a), enter(b), enter(c));
    await reading.poll();
    truncateSync(file);
    write(complete(a));
    await reading.poll();
    expect(ids(told)).toEqual([`${a}.1`]);
    await reading.close();
  });

  it('ends calls that nobody ends, by the clock', async () => {
    const { follower, told, write, control } = log();
    write(enter(a));
    const reading = follower();
    await reading.poll();
    control.nowMs = (a + 24 * 3600 + 1) * 1000;
    await reading.poll();
    expect(told).toMatchObject([{ externalId: `${a}.1`, outcome: 'unknown' }]);
    await reading.close();
  });

  it('numbers the second queue of a call alike after a restart', async () => {
    const { follower, told, write } = log();
    write(enter(a), `${a + 60}|${a}.1|support|NONE|EXITWITHTIMEOUT|1|1|60`);
    const first = follower();
    await first.poll();
    await first.close();
    write(enter(a, a + 61), complete(a, a + 90));
    const second = follower();
    await second.poll();
    expect(told.map((call) => [call.revision ?? 1, call.outcome])).toEqual([
      [1, 'timeout'],
      [2, 'answered'],
    ]);
    await second.close();
  });

  it('reads on after a line that is longer than any line', async () => {
    const { follower, told, write } = log();
    write(enter(a), 'x'.repeat(300_000), complete(a));
    const reading = follower();
    await reading.poll();
    expect(ids(told)).toEqual([`${a}.1`]);
    await reading.close();
  });

  const storyline = '../shared/data/omnichannel-storyline/native/queue_log.gz';
  (existsSync(storyline) ? describe : describe.skip)('where the shared files are', () => {
    it('tells every call of a year, read in pieces with restarts and rotations', async () => {
      const lines = gunzipSync(readFileSync(storyline)).toString('utf8').trimEnd().split('\n');
      const { file, follower, told, write, warnings } = log();
      for (let at = 0; at < lines.length; at += 500) {
        write(...lines.slice(at, at + 500));
        const reading = follower();
        await reading.poll();
        await reading.close();
        if (at % 1500 === 0) {
          renameSync(file, `${file}.${at}`);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
      expect(new Set(ids(told)).size).toBe(2020);
      expect(new Map(told.map((call) => [call.externalId, JSON.stringify(call)])).size).toBe(
        new Set(told.map((call) => JSON.stringify(call))).size,
      );
      expect(warnings).toEqual([]);
    });
  });
});

describe('the queue log service', () => {
  it('follows the files that accounts name and stops when the program does', async () => {
    const { file, write } = log();
    const parts = recordingEdge([
      accountOf('asterisk-queue-log', { settings: { file, pollMs: 50 } }),
      accountOf('telegram'),
    ]);
    const dataDir = mkdtempSync(join(tmpdir(), 'hilo-data-'));
    folders.push(dataDir);
    const tail = new QueueLogTail(
      Object.assign(new HubSettings(), { dataDir }),
      parts.directory,
      parts.publisher,
      parts.counters,
      parts.clock,
    );
    parts.clock.advance(1772443000_000 - receivedAtMs);
    parts.bus.failure = busFull();
    tail.onApplicationBootstrap();
    write(enter(a), complete(a));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(parts.bus.messages).toEqual([]);
    parts.bus.failure = undefined;
    for (let i = 0; i < 100 && parts.bus.messages.length === 0; i++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    await tail.beforeApplicationShutdown();
    expect(parts.bus.interactions()).toMatchObject([{ tenant: 'acme', externalId: `${a}.1`, outcome: 'answered' }]);
    expect(existsSync(join(dataDir, 'channels', 'queue-log-asterisk-queue-log-1.json'))).toBe(true);
  });
});
