import { Writable } from 'node:stream';
import fc from 'fast-check';
import { exportHistory } from './export-history.js';
import { matches } from './history-filter.js';
import { historyLine } from './history-line.js';
import type { HistoryProgress } from './read-history.js';
import { anyEvents, sampleEvent, sampleId, sampleLog } from './sample-log.contract.js';

class Collector extends Writable {
  text = '';
  mostBuffered = 0;

  constructor() {
    super({ highWaterMark: 100, decodeStrings: false });
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.text += chunk;
    this.mostBuffered = Math.max(this.mostBuffered, this.writableLength);
    setImmediate(done);
  }
}

const many = (count: number) => Array.from({ length: count }, (_, i) => sampleEvent(i + 1));

describe('exporting to a stream', () => {
  it('writes exactly the matching events in order, raw or not', () =>
    fc.assert(
      fc.asyncProperty(anyEvents, fc.boolean(), fc.integer({ min: 1, max: 7 }), async (events, raw, batchSize) => {
        const filter = {
          fromPosition: 4,
          toPosition: 90,
          tenant: 'acme',
          types: ['InteractionRecorded', 'ProfileImported'],
          customer: new Set([1, 2, 3].map(sampleId)),
        };
        const output = new Collector();
        const report = await exportHistory(sampleLog(events, { raw }), output, { filter, batchSize });
        const wanted = events.filter((event) => matches(event, filter));
        expect(output.text).toBe(wanted.map(historyLine).join(''));
        expect(report.events).toBe(wanted.length);
      }),
      { numRuns: 40 },
    ));

  it('waits for a slow reader', async () => {
    const output = new Collector();
    await exportHistory(sampleLog(many(200)), output, { batchSize: 2 });
    expect(output.text.split('\n')).toHaveLength(201);
    expect(output.mostBuffered).toBeLessThan(2 * historyLine(sampleEvent(200)).length + 1);
  });

  it('reports progress to the head that was there at the start', async () => {
    const events = many(10);
    const seen: HistoryProgress[] = [];
    await exportHistory(sampleLog(events), new Collector(), {
      batchSize: 4,
      onProgress: (progress) => {
        seen.push(progress);
        events.push(sampleEvent(events.length + 1));
      },
    });
    expect(seen.map(({ position }) => position)).toEqual([4, 8, 10, 10]);
    expect(seen.at(-1)).toEqual({ position: 10, head: 10, events: 10 });
  });

  it('stops when told to', async () => {
    const stop = new AbortController();
    const output = new Collector();
    const run = exportHistory(sampleLog(many(10)), output, {
      batchSize: 3,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    await expect(run).rejects.toMatchObject({ code: 'HISTORY.ABORTED', facts: { position: 3, through: 10 } });
    expect(output.text.split('\n')).toHaveLength(4);
  });

  it.each([
    ['fails', Object.assign(new Error('the disk is full'), { code: 'ENOSPC' }), 'ENOSPC'],
    ['is closed', undefined, 'ERR_STREAM_PREMATURE_CLOSE'],
  ])('rejects when the output %s', async (_case, error, code) => {
    const output = new Collector();
    const run = exportHistory(sampleLog(many(10)), output, { batchSize: 1, onProgress: () => output.destroy(error) });
    await expect(run).rejects.toMatchObject({ code });
  });

  it('leaves the output open', async () => {
    const output = new Collector();
    await exportHistory(sampleLog([]), output);
    expect(output.writableEnded).toBe(false);
  });
});
