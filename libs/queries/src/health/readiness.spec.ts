import { HubError } from '#libs/kernel';
import { Readiness } from './readiness.js';

describe('Readiness', () => {
  it('is there when every check passes, and tells their facts', async () => {
    const checks = [
      { name: 'bus', ask: async () => undefined },
      { name: 'timelines', ask: async () => ({ behind: 3 }) },
    ];
    expect(await new Readiness(checks).look()).toEqual({
      ready: true,
      body: { status: 'ok', bus: 'ok', timelines: 'ok', behind: 3 },
    });
  });

  it('names what is missing and why, and no more of the failure than its code and facts', async () => {
    const checks = [
      { name: 'bus', ask: async () => undefined },
      { name: 'eventStore', ask: () => Promise.reject(new Error('esdb://user:password@host')) },
      {
        name: 'timelines',
        ask: () => Promise.reject(new HubError('READ_MODEL.BEHIND', 'behind', { facts: { behind: 9 } })),
      },
    ];
    expect(await new Readiness(checks).look()).toEqual({
      ready: false,
      body: {
        status: 'unavailable',
        bus: 'ok',
        eventStore: 'unavailable',
        eventStoreCode: 'unknown',
        timelines: 'unavailable',
        timelinesCode: 'READ_MODEL.BEHIND',
        behind: 9,
      },
    });
  });

  it('counts a check that does not answer as failed', async () => {
    jest.useFakeTimers();
    const look = new Readiness([{ name: 'eventStore', ask: () => new Promise<void>(() => undefined) }]).look();
    await jest.advanceTimersByTimeAsync(3000);
    expect(await look).toMatchObject({ ready: false, body: { eventStoreCode: 'HEALTH.NO_ANSWER' } });
    jest.useRealTimers();
  });
});
