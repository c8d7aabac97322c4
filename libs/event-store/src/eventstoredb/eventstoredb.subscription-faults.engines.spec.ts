import { setTimeout as delay } from 'node:timers/promises';
import {
  QUICK,
  endFaultyStore,
  fill,
  startFaultyStore,
  type FaultyStore,
} from '#libs/testing/eventstoredb-fake/faulty-store.js';
import { ranAgainst } from '../../../../test/engines/ran-against.js';
import { newStream, until } from '../event-store.contract.js';
import type { StoredEvent } from '../event-store.port.js';
import { connectClient } from './connect-client.js';

jest.setTimeout(30_000);
beforeAll(() => ranAgainst('EventStoreDB under faults: a fake'));

let faulty: FaultyStore;
let fake: FaultyStore['fake'];
let store: FaultyStore['store'];
let drops: FaultyStore['drops'];

const start = async (...how: Parameters<typeof startFaultyStore>): Promise<void> => {
  faulty = await startFaultyStore(...how);
  ({ fake, store, drops } = faulty);
};
afterEach(() => endFaultyStore(faulty));

/** Follows the store; `handled` grows as events are handled. */
const follow = (beforeEach: () => Promise<void> = async () => undefined): StoredEvent[] => {
  const handled: StoredEvent[] = [];
  store.subscribe(0, async (events) => {
    for (const event of events) {
      await beforeEach();
      handled.push(event);
    }
  });
  return handled;
};

describe('an election', () => {
  it('is outlived, when connections fail one after another while no node can be found', async () => {
    await start({}, { nodes: 3 });
    const both = [follow(), follow()];
    await fill(store, 5);
    await until(() => both.every((handled) => handled.length === 5));
    fake.beginElection();
    fake.cancelSubscriptions(1);
    await until(() => drops.length > 0);
    await delay(100);
    fake.cancelSubscriptions(1);
    await delay(1500); // the client gives a search up after ten times 100 ms
    fake.electLeader(1);
    const all = await fill(store, 5);
    await until(() => both.every((handled) => handled.length >= 10));
    expect(both).toEqual([all, all]);
  });

  it('ends no program: a search that fails is caught where nobody waits for it', async () => {
    await start({}, { nodes: 2 });
    fake.beginElection();
    const client = connectClient(`${fake.url()}&maxDiscoverAttempts=2`) as unknown as {
      getChannel(): Promise<unknown>;
      handleError(client: object, error: Error): Promise<void>;
    };
    const search = client.getChannel();
    const failed = { getChannel: () => 'the lost connection' };
    const noticed = client.handleError(failed, Object.assign(new Error('lost'), { code: 14, details: 'lost' }));
    await expect(search).rejects.toThrow('Failed to discover');
    expect(await noticed).toBeUndefined();
  });
});

describe('a subscription', () => {
  const ends: [string, () => void][] = [
    ['ends without an error', () => fake.endSubscriptions()],
    ['is cancelled by the server', () => fake.cancelSubscriptions()],
    ['loses its connection', () => fake.cutConnections()],
    ['falls silent', () => fake.stallSubscriptions()],
  ];

  it.each(ends)('goes on without gap or duplicate when it %s', async (_, end) => {
    await start({}, { foreignEvery: 2 });
    const handled = follow(() => delay(1));
    for (let round = 0; round < 4; round++) {
      await fill(store, 15);
      end();
    }
    const all = await fill(store, 15);
    await until(() => handled.length >= all.length);
    expect(handled).toEqual(all);
    expect(drops.length).toBeGreaterThan(0);
  });

  it('goes on after a freeze', async () => {
    await start({ giveUpAfterMs: 200 });
    await fill(store, 3);
    const handled = follow();
    await until(() => handled.length === 3);
    fake.freeze();
    await until(() => drops.length > 0);
    fake.thaw();
    const all = await fill(store, 3);
    await until(() => handled.length >= 6);
    expect(handled).toEqual(all);
  });

  it('skips nothing that a checkpoint has passed in the client', async () => {
    await start();
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const handled = follow(() => gate);
    await fill(store, 1);
    await until(() => fake.openSubscriptions === 1);
    await fill(store, 12);
    fake.log.addForeign('somebodyelse-1', 400);
    await delay(700); // twice the time in which a checkpoint is taken over
    fake.cutConnections();
    await delay(50);
    release();
    const all = await fill(store, 1);
    await until(() => handled.length >= all.length);
    expect(handled).toEqual(all);
  });

  it('begins again behind what it has seen of others', async () => {
    await start();
    const handled = follow();
    await fill(store, 1);
    await until(() => handled.length === 1);
    fake.log.addForeign('somebodyelse-1', 100);
    await delay(700);
    fake.endSubscriptions();
    await until(() => fake.subscriptionStarts.length === 2);
    expect(fake.subscriptionStarts[1]).toBeGreaterThan(BigInt(handled[0]!.position));
    await fill(store, 1);
    await until(() => handled.length === 2);
  });

  it('counts the drops in a row, for longer and longer waits, and begins anew after an event', async () => {
    await start();
    const handled = follow();
    for (let i = 1; i <= 3; i++) {
      await until(() => fake.openSubscriptions === 1);
      fake.endSubscriptions();
      await until(() => drops.length === i);
    }
    await fill(store, 1);
    await until(() => handled.length === 1);
    fake.endSubscriptions();
    await until(() => drops.length === 4);
    expect(drops).toEqual([1, 2, 3, 1]);
  });

  it('is left alone while it is silent and nothing of ours was written', async () => {
    await start();
    const handled = follow();
    await fill(store, 2);
    await until(() => handled.length === 2);
    fake.log.addForeign('$stats-1', 3);
    await delay(QUICK.watchdogMs * 3);
    expect(drops).toEqual([]);
    expect(fake.subscriptionStarts).toHaveLength(1);
  });

  it('is left alone while its handler takes its time', async () => {
    await start();
    const handled = follow(() => delay(QUICK.watchdogMs * 2));
    await fill(store, 3);
    await until(() => handled.length === 3);
    expect(drops).toEqual([]);
  });

  it('ends with an error where none of our events begins', async () => {
    await start();
    const [first] = await fill(store, 1);
    await expect(store.subscribe(first!.position + 1, async () => undefined).done).rejects.toMatchObject({
      code: 'EVENT_STORE.FAILED',
    });
  });

  it('ends with an error at an event that no hub wrote into our streams', async () => {
    await start();
    fake.log.addForeign(newStream());
    await expect(store.subscribe(0, async () => undefined).done).rejects.toMatchObject({
      code: 'EVENT_STORE.FAILED',
      message: expect.stringContaining('metadata') as string,
    });
  });

  it('leaves no call open on the server when it stops', async () => {
    await start();
    const subscription = store.subscribe(0, async () => undefined);
    await until(() => fake.openSubscriptions === 1);
    await subscription.stop();
    await until(() => fake.openSubscriptions === 0);
    const failing = store.subscribe(0, () => Promise.reject(new Error('row is broken')));
    failing.done.catch(() => undefined);
    await fill(store, 1);
    await until(() => fake.openSubscriptions === 0);
    await expect(failing.done).rejects.toThrow('row is broken');
  });
});
