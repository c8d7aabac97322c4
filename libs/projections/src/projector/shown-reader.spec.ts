import type { StoredEvent } from '#libs/event-store';
import { HubError } from '#libs/kernel';
import type { ProjectionAdvance } from '../progress.port.js';
import { ShownReader } from './shown-reader.js';

const at = (...positions: number[]): StoredEvent[] => positions.map((position) => ({ position }) as StoredEvent);

/** A reader that remembers its place, answers with what it was given, and fails as it is told to. */
const place = () => {
  const reader = {
    position: 0,
    failures: [] as unknown[],
    during: (): void => undefined,
    checkpoint: async () => reader.position,
    apply: async (events: readonly StoredEvent[]) => {
      if (reader.failures.length > 0) throw reader.failures.shift();
      reader.during();
      const news = events.filter(({ position }) => position > reader.position).map(({ position }) => position);
      reader.position = Math.max(reader.position, ...news);
      return news;
    },
  };
  return reader;
};

describe('ShownReader', () => {
  const world = () => {
    const [projector, resolver] = [place(), place()];
    const told: ProjectionAdvance[] = [];
    const { apply, checkpoint } = resolver;
    const reader = new ShownReader(
      projector,
      { checkpoint, apply: async (events) => void (await apply(events)) },
      (advance) => told.push(advance),
    );
    return { projector, resolver, reader, told };
  };

  it('begins where both have been', async () => {
    const { projector, resolver, reader } = world();
    projector.position = 9;
    resolver.position = 4;
    expect(await reader.checkpoint()).toBe(4);
  });

  it('tells of a batch once the links that follow from it are folded, in order', async () => {
    const { resolver, reader, told } = world();
    resolver.during = () => reader.linked(5);
    await reader.apply(at(1, 2));
    expect(told).toEqual([]);
    resolver.during = () => undefined;
    await reader.apply(at(3, 4));
    expect(told).toEqual([]);
    await reader.apply(at(5));
    expect(told).toEqual([
      { position: 2, corrected: [1, 2] },
      { position: 4, corrected: [3, 4] },
      { position: 5, corrected: [5] },
    ]);
  });

  it('keeps what one has done when the other fails, and what was corrected', async () => {
    const { projector, resolver, reader, told } = world();
    const busy = new HubError('EVENT_STORE.UNAVAILABLE', 'busy', { retryable: true });
    resolver.failures.push(busy);
    await expect(reader.apply(at(1, 2))).rejects.toBe(busy);
    expect([projector.position, resolver.position]).toEqual([2, 0]);
    await reader.apply(at(1, 2));
    expect(told).toEqual([{ position: 2, corrected: [1, 2] }]);
  });

  it('fails with what does not pass, where one of two failures does not', async () => {
    const { projector, resolver, reader } = world();
    resolver.failures.push(new HubError('EVENT_STORE.UNAVAILABLE', 'busy', { retryable: true }));
    projector.failures.push(new HubError('READ_MODEL.FENCED', 'another one'));
    await expect(reader.apply(at(1))).rejects.toMatchObject({ code: 'READ_MODEL.FENCED' });
  });
});
