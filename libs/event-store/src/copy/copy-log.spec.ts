import { randomUUID } from 'node:crypto';
import { FixedClock } from '#libs/kernel';
import { eventOf, newStream } from '../event-store.contract.js';
import type { CopiedEvent, CopyTarget } from '../event-log.port.js';
import type { AppendReceipt, ExpectedRevision, StoredEvent, StreamId } from '../event-store.port.js';
import { MemoryEventStore } from '../memory/memory.event-store.js';
import { compareLogs, copyLog } from './copy-log.js';

/** A target that keeps the instants of copied events, and can lose its connection. */
class MemoryTarget extends MemoryEventStore implements CopyTarget {
  appendsLeft = Infinity;
  appends = 0;

  constructor(private readonly now: FixedClock = new FixedClock(0)) {
    super(now);
  }

  override append(
    stream: StreamId,
    events: readonly CopiedEvent[],
    expected: ExpectedRevision,
  ): Promise<AppendReceipt> {
    if (this.appendsLeft-- <= 0) return Promise.reject(new Error('connection lost'));
    this.appends += 1;
    this.now.advance((events[0]!.recordedAtMs ?? 0) - this.now.nowMs());
    return super.append(stream, events, expected);
  }

  async newest(): Promise<StoredEvent | undefined> {
    let last: StoredEvent | undefined;
    for await (const events of this.readAll({ after: 0 })) last = events.at(-1);
    return last;
  }
}

describe('copying a log', () => {
  let clock: FixedClock;
  let source: MemoryEventStore;
  beforeEach(async () => {
    clock = new FixedClock(1000);
    source = new MemoryEventStore(clock);
    const streams = Array.from({ length: 40 }, newStream);
    for (let i = 0; i < 1300; i++) {
      clock.advance(7);
      const stream = streams[i % 40]!;
      const revision = Math.floor(i / 40);
      const event = { ...eventOf('A', { i }, i % 2 ? 'acme' : 'globex', 1 + (i % 3)), json: `{"sealed":"${i}"}` };
      await source.append(stream, [event], revision === 0 ? 'no_stream' : revision - 1);
    }
  });

  it('keeps ids, streams, types, schemas, tenants, instants and texts, and the order', async () => {
    const target = new MemoryTarget();
    expect(await copyLog(source, target, { inFlight: 1 })).toEqual({ through: 1300, sent: 1300, complete: true });
    const comparison = await compareLogs(source, target, 1300);
    expect(comparison).toMatchObject({ same: true, sameOrder: true, source: { events: 1300 } });
    expect(await target.newest()).toEqual((await source.read((await target.newest())!.stream)).at(-1));
  });

  it('goes on where it was broken off, wherever that was', async () => {
    const target = new MemoryTarget();
    for (const appendsLeft of [3, 600, 700]) {
      target.appendsLeft = appendsLeft;
      await expect(copyLog(source, target, { inFlight: 4 })).rejects.toThrow('connection lost');
    }
    target.appendsLeft = Infinity;
    expect(await copyLog(source, target, { inFlight: 4 })).toMatchObject({ through: 1300, complete: true });
    expect(await compareLogs(source, target, 1300)).toMatchObject({ same: true });
    target.appends = 0;
    await copyLog(source, target, { inFlight: 1 });
    expect(target.appends).toBeLessThanOrEqual(500);
  });

  it('stops between two windows when it is told to, and says how far it came', async () => {
    const target = new MemoryTarget();
    const stop = new AbortController();
    const onProgress = (): void => stop.abort();
    expect(await copyLog(source, target, { inFlight: 1, signal: stop.signal, onProgress })).toEqual({
      through: 500,
      sent: 500,
      complete: false,
    });
    expect(await compareLogs(source, target, 500)).toMatchObject({ same: true });
  });

  it('takes over what came since', async () => {
    const target = new MemoryTarget();
    await copyLog(source, target, { inFlight: 1 });
    await source.append(newStream(), [eventOf()], 'no_stream');
    expect(await copyLog(source, target, { inFlight: 1 })).toMatchObject({ through: 1301 });
    expect(await compareLogs(source, target, 1301)).toMatchObject({ same: true, sameOrder: true });
  });

  it('refuses a target that holds another log', async () => {
    const target = new MemoryTarget();
    await target.append(newStream(), [eventOf()], 'no_stream');
    await expect(copyLog(source, target, { inFlight: 1 })).rejects.toMatchObject({ code: 'COPY.OTHER_LOG' });
  });

  it.each<[string, (event: CopiedEvent) => CopiedEvent]>([
    ['another id', (event) => ({ ...event, id: randomUUID() })],
    ['another type', (event) => ({ ...event, type: 'B' })],
    ['another schema', (event) => ({ ...event, schema: 9 })],
    ['another tenant', (event) => ({ ...event, tenant: 'initech' })],
    ['another instant', (event) => ({ ...event, recordedAtMs: 1 })],
    ['another text', (event) => ({ ...event, json: '{}' })],
  ])('finds a copy with %s', async (_, change) => {
    class Damaging extends MemoryTarget {
      override append(stream: StreamId, events: readonly CopiedEvent[], expected: ExpectedRevision) {
        const copied = this.appends === 700 ? events.map(change) : events;
        return super.append(stream, copied, expected);
      }
    }
    const target = new Damaging();
    await copyLog(source, target, { inFlight: 1 });
    expect(await compareLogs(source, target, 1300)).toMatchObject({ same: false, sameOrder: false });
  });

  it('tells the same events in another order from the same log', async () => {
    const [one, two] = [newStream(), newStream()];
    const [a, b] = [eventOf(), eventOf()];
    const [left, right] = [new MemoryTarget(), new MemoryTarget()];
    for (const [store, order] of [
      [left, [one, two]],
      [right, [two, one]],
    ] as const)
      for (const stream of order) await store.append(stream, [stream === one ? a : b], 'no_stream');
    expect(await compareLogs(left, right, 2)).toMatchObject({ same: true, sameOrder: false });
  });
});
