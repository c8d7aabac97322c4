import { projectionJson, runProjection, type CustomProjection } from './custom-projection.js';
import { sampleEvent, sampleLog } from './sample-log.contract.js';

const log = sampleLog(
  Array.from({ length: 10 }, (_, i) => sampleEvent(i + 1)),
  { raw: true },
);
const projection = (over: Partial<CustomProjection<number[]>> = {}): CustomProjection =>
  ({
    initial: [],
    evolve: (state, event) => {
      state.push(event.position);
      return state;
    },
    ...over,
  }) satisfies CustomProjection<number[]>;

describe('a custom projection', () => {
  it('folds the filtered log in order and starts alike every time', async () => {
    const mine = projection({ finish: (state) => ({ sum: state.reduce((a, b) => a + b, 0) }) });
    const run = () => runProjection(log, mine, { filter: { fromPosition: 3 }, batchSize: 2 });
    await expect(run()).resolves.toEqual({ result: { sum: 52 }, events: 8, position: 10 });
    await expect(run()).resolves.toEqual({ result: { sum: 52 }, events: 8, position: 10 });
  });

  it('takes a function for its initial state and gives data as an object', async () => {
    const texts: CustomProjection = {
      initial: () => new Set(),
      evolve: (state, { data, recordedAt }) => (state as Set<unknown>).add(`${recordedAt} ${String(data.text)}`),
    };
    const { result } = await runProjection(log, texts, { filter: { toPosition: 1 } });
    expect(projectionJson(result)).toBe('[\n  "2025-01-01T00:01:00.000Z number 1"\n]');
  });

  it.each<[string, Partial<CustomProjection<number[]>>, string]>([
    [
      'evolve throws',
      {
        evolve: () => {
          throw new Error('no text');
        },
      },
      'evolve failed at position 1 (InteractionRecorded): no text',
    ],
    [
      'evolve forgets to return',
      { evolve: (() => undefined) as unknown as () => number[] },
      'evolve returned nothing at position 1 (InteractionRecorded); return the state',
    ],
    [
      'evolve is asynchronous',
      { evolve: (() => Promise.reject(new Error('late'))) as unknown as () => number[] },
      'evolve returned a promise at position 1 (InteractionRecorded); it must be synchronous',
    ],
    [
      'finish throws',
      {
        finish: () => {
          throw new Error('empty');
        },
      },
      'finish failed: empty',
    ],
  ])('says where it went wrong when %s', async (_case, over, message) => {
    const run = runProjection(log, projection(over));
    await expect(run).rejects.toMatchObject({ code: 'HISTORY.PROJECTION_FAILED', message });
  });

  it('prints maps as objects, and nothing as null', () => {
    expect(JSON.parse(projectionJson(new Map([['email', { count: 2n }]])))).toEqual({ email: { count: '2' } });
    expect(projectionJson(undefined)).toBe('null');
  });
});
