import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoredEvent } from '#libs/event-store';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { collect, until } from '#libs/event-store/event-store.contract.js';
import { HubError, codeOf } from '#libs/kernel';
import { createLogger } from '#libs/kernel/logging.js';
import { NotedLooks, noteLook } from './noted-looks.js';

const customer = '10000000-0000-8000-8000-000000000001';
const look = {
  by: 'machine:ana',
  customer,
  at: '2025-03-02T09:00:00.000Z',
  saw: ['timeline' as const],
  reads: 1,
  reason: 'call-back',
};

describe('looks noted beside a hub', () => {
  let dataDir: string;
  let store: MemoryEventStore;
  let notes: NotedLooks;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'hilo-looks-'));
    store = new MemoryEventStore();
    notes = new NotedLooks(dataDir, store, createLogger('silent', 'test'));
  });
  afterEach(async () => {
    await notes.onApplicationShutdown();
    rmSync(dataDir, { recursive: true });
  });

  const recorded = (): Promise<StoredEvent[]> => collect(store.readAll({ after: 0 }));
  const waiting = (): string[] => readdirSync(join(dataDir, 'looks'));

  it('are in its log after its next start, and wait no more', async () => {
    noteLook(dataDir, 'acme', look);
    expect(waiting()).toHaveLength(1);
    await notes.onApplicationBootstrap();
    expect(await recorded()).toMatchObject([{ type: 'TimelineViewed', tenant: 'acme', data: look }]);
    expect(waiting()).toEqual([]);
  });

  it('are in its log soon while it runs', async () => {
    await notes.onApplicationBootstrap();
    noteLook(dataDir, 'acme', look);
    await until(() => waiting().length === 0);
    expect(await recorded()).toHaveLength(1);
  });

  it('are written once, also when a crash came between the log and the note', async () => {
    noteLook(dataDir, 'acme', look);
    const [name] = waiting();
    const crashed = new NotedLooks(dataDir, store, createLogger('silent', 'test'));
    const append = jest.spyOn(store, 'append').mockImplementationOnce(async (...given) => {
      await MemoryEventStore.prototype.append.apply(store, given);
      throw new HubError('EVENT_STORE.UNAVAILABLE', 'gone before it could answer', { retryable: true });
    });
    await crashed.onApplicationBootstrap();
    await crashed.onApplicationShutdown();
    expect(waiting()).toEqual([name]);
    await notes.onApplicationBootstrap();
    expect(append).toHaveBeenCalledTimes(2);
    expect(await recorded()).toHaveLength(1);
    expect(waiting()).toEqual([]);
  });

  it('are refused where they cannot be kept, so that nothing is shown', () => {
    writeFileSync(join(dataDir, 'looks'), 'a file in its place');
    let refused: unknown;
    try {
      noteLook(dataDir, 'acme', look);
    } catch (error) {
      refused = error;
    }
    expect(codeOf(refused)).toBe('ACCESS.NOT_NOTED');
    rmSync(join(dataDir, 'looks'));
  });
});
