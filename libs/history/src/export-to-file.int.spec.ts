import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { codeOf } from '#libs/kernel';
import { exportToFile, partialOf, type FileExportOptions } from './export-history.js';
import { historyLine } from './history-line.js';
import type { HistoryLog } from './history-log.js';
import { anyEvents, sampleEvent, sampleLog } from './sample-log.contract.js';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hilo-export-'));
  file = join(directory, 'history.ndjson');
});
afterEach(() => rmSync(directory, { recursive: true }));

const many = (count: number) => Array.from({ length: count }, (_, i) => sampleEvent(i + 1));
const log = sampleLog(many(20));
const linesThrough = (position: number) => many(position).map(historyLine).join('');

const interrupted = async (source: HistoryLog, options: FileExportOptions, batches = 2): Promise<void> => {
  const stop = new AbortController();
  let left = batches;
  const onProgress = () => void (--left <= 0 && stop.abort());
  await expect(
    exportToFile(source, file, { batchSize: 3, ...options, signal: stop.signal, onProgress }),
  ).rejects.toMatchObject({ code: 'HISTORY.ABORTED' });
};

describe('exporting to a file', () => {
  it('shows the file under its name only when it is complete', async () => {
    const report = await exportToFile(log, file, {
      batchSize: 3,
      onProgress: () => expect(existsSync(file)).toBe(false),
    });
    expect(readFileSync(file, 'utf8')).toBe(linesThrough(20));
    expect(report).toEqual({ file, events: 20, position: 20, bytes: linesThrough(20).length });
    expect(readdirSync(directory)).toEqual(['history.ndjson']);
  });

  it('refuses to replace a finished file unless forced', async () => {
    writeFileSync(file, 'mine');
    await expect(exportToFile(log, file)).rejects.toMatchObject({ code: 'HISTORY.FILE_EXISTS' });
    expect(readFileSync(file, 'utf8')).toBe('mine');
    await exportToFile(log, file, { force: true });
    expect(readFileSync(file, 'utf8')).toBe(linesThrough(20));
  });

  it('goes on where it stopped, to the end pinned at the start', async () => {
    const growing = many(20);
    await interrupted(sampleLog(growing), {});
    growing.push(sampleEvent(21));
    const report = await exportToFile(sampleLog(growing), file);
    expect(report).toMatchObject({ resumedAfter: 6, events: 20, position: 20 });
    expect(readFileSync(file, 'utf8')).toBe(linesThrough(20));
  });

  it('gives the same bytes however often and wherever it is cut off', () =>
    fc.assert(
      fc.asyncProperty(
        anyEvents,
        fc.array(fc.record({ batches: fc.integer({ min: 1, max: 5 }), torn: fc.string({ maxLength: 9 }) }), {
          maxLength: 4,
        }),
        fc.integer({ min: 1, max: 9 }),
        async (events, cuts, saveEvery) => {
          const filter = { types: ['InteractionRecorded', 'IdentitiesLinked'], channels: ['email'] };
          const raw = sampleLog(events, { raw: true });
          await exportToFile(raw, file, { filter, force: true });
          const whole = readFileSync(file, 'utf8');
          rmSync(file);
          for (const { batches, torn } of cuts) {
            let left = batches;
            const onProgress = () => {
              // A failure, unlike an abort, saves nothing more: what lies in the file past the saved point is torn.
              if (--left <= 0) throw new Error('power cut');
            };
            const done = await exportToFile(raw, file, { filter, saveEvery, batchSize: 3, onProgress }).then(
              () => true,
              () => false,
            );
            if (done) break;
            appendFileSync(partialOf(file).partial, torn);
          }
          await exportToFile(raw, file, { filter, force: true });
          expect(readFileSync(file, 'utf8')).toBe(whole);
          rmSync(file);
        },
      ),
      { numRuns: 60 },
    ));

  it('refuses to go on with another filter, and says what differs', async () => {
    await interrupted(log, { filter: { tenant: 'acme' } });
    const other = exportToFile(log, file, { filter: { types: ['InteractionRecorded'] } });
    await expect(other).rejects.toMatchObject({ code: 'HISTORY.RESUME_MISMATCH' });
    await expect(exportToFile(log, file, { filter: { types: ['InteractionRecorded'] } })).rejects.toThrow(
      'tenant was acme and is absent, types was absent and is InteractionRecorded',
    );
    await exportToFile(log, file, { force: true });
    expect(readFileSync(file, 'utf8')).toBe(linesThrough(20));
  });

  it('refuses to go on with another log', async () => {
    await interrupted(log, {});
    const other = sampleLog(many(20).map((event) => ({ ...event, id: event.id.replace('9', '8') })));
    await expect(exportToFile(other, file)).rejects.toThrow('it was read from another log');
  });

  it.each([
    ['the lines are shorter than was saved', () => truncateSync(partialOf(file).partial, 10)],
    ['the saved point is unreadable', () => writeFileSync(partialOf(file).state, '{')],
    ['the saved point is gone', () => rmSync(partialOf(file).state)],
  ])('starts anew when %s', async (_case, damage) => {
    await interrupted(log, {});
    damage();
    const report = await exportToFile(log, file);
    expect(report.resumedAfter).toBeUndefined();
    expect(readFileSync(file, 'utf8')).toBe(linesThrough(20));
  });

  it('names a directory that does not exist', async () => {
    const refusal: unknown = await exportToFile(log, join(directory, 'no', 'x.ndjson')).catch(
      (reason: unknown) => reason,
    );
    expect(codeOf(refusal)).toBe('ENOENT');
  });
});
