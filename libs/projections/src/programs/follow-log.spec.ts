import { randomUUID } from 'node:crypto';
import { streamId, type StoredEvent } from '#libs/event-store';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { HubError } from '#libs/kernel';
import { followLog } from './follow-log.js';

const append = (store: MemoryEventStore) =>
  store.append(
    streamId('note', randomUUID()),
    [{ id: randomUUID(), type: 'NoteAdded', schema: 1, tenant: 'acme', data: {} }],
    'no_stream',
  );

/** Stops once it has seen as many events as it waits for. */
const following = (store: MemoryEventStore, wanted: number, failures: unknown[] = []) => {
  const stop = new AbortController();
  const seen: number[] = [];
  const retried: unknown[] = [];
  const reader = {
    checkpoint: async () => seen.at(-1) ?? 0,
    apply: async (events: readonly StoredEvent[]) => {
      if (failures.length > 0) throw failures.shift();
      seen.push(...events.map(({ position }) => position));
      if (seen.length >= wanted) stop.abort();
    },
  };
  const done = followLog(store, reader, { signal: stop.signal, onRetry: (error) => retried.push(error) });
  return { seen, retried, done };
};

describe('followLog', () => {
  it('leads a reader along the log, and on as it grows', async () => {
    const store = new MemoryEventStore();
    await append(store);
    const { seen, done } = following(store, 3);
    await append(store);
    await append(store);
    await done;
    expect(seen).toEqual([1, 2, 3]);
  });

  it('tries what passes again from the checkpoint', async () => {
    const store = new MemoryEventStore();
    await append(store);
    await append(store);
    const busy = new HubError('READ_MODEL.UNAVAILABLE', 'no connection', { retryable: true });
    const { seen, retried, done } = following(store, 2, [busy]);
    await done;
    expect([seen, retried]).toEqual([[1, 2], [busy]]);
  });

  it('fails with what does not pass', async () => {
    const store = new MemoryEventStore();
    await append(store);
    const { done } = following(store, 1, [new HubError('READ_MODEL.FENCED', 'another one')]);
    await expect(done).rejects.toMatchObject({ code: 'READ_MODEL.FENCED' });
  });

  it('does not begin where it is to stop', async () => {
    const apply = jest.fn();
    await followLog(new MemoryEventStore(), { checkpoint: async () => 0, apply }, { signal: AbortSignal.abort() });
    expect(apply).not.toHaveBeenCalled();
  });
});
