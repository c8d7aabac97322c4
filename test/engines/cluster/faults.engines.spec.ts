import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../e2e/waiting.js';
import { expectRecordedOnce, foldedTwice } from './audit.js';
import { Cluster } from './cluster.js';
import { Traffic } from './traffic.js';

jest.setTimeout(300_000);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
  await cluster.startPrograms();
});
afterAll(() => cluster.stop());

/** Receipts of everything that was taken in this file. */
const taken = new Set<string>();

/** Contacts go on through a fault and for a while after it; then everything is there, once. */
const through = async (name: string, fault: (traffic: Traffic) => Promise<void>): Promise<Traffic> => {
  const traffic = Traffic.start(cluster, name);
  await sleep(1500);
  await fault(traffic);
  await sleep(1500);
  await traffic.stop();
  for (const receipt of traffic.receipts) taken.add(receipt);
  await expectRecordedOnce(cluster, taken);
  const { live, anew } = await foldedTwice(cluster);
  expect(live).toEqual(anew);
  expect(live.find(({ table }) => table === 'timeline')!.rows).toBe(taken.size);
  return traffic;
};

describe('nothing is lost, nothing is there twice, and the timelines are those of the log', () => {
  it('when the active projector is killed: a standby leads within 15 s', async () => {
    await through('projector', async () => {
      const leader = await eventually(async () => {
        const found = await cluster.leader();
        expect(found).toBeDefined();
        return found!;
      });
      await leader.kill();
      const since = Date.now();
      await eventually(async () => expect(await cluster.leader()).toBeDefined());
      expect(Date.now() - since).toBeLessThan(15_000);
      cluster.startProgram('projector');
    });
  });

  it('when a recorder is killed', async () => {
    const traffic = await through('recorder', async () => {
      await cluster.of('recorder')[0]!.kill();
      cluster.startProgram('recorder');
    });
    expect(traffic.refused).toBe(0);
  });

  it('when the broker ends and comes back', async () => {
    const traffic = await through('broker', async () => {
      await cluster.kafka.kill();
      await sleep(2000);
      await cluster.kafka.run();
    });
    expect(traffic.refused).toBeGreaterThan(0);
  });

  it('when PostgreSQL crashes and comes back', async () => {
    const traffic = await through('postgres', () => cluster.crashPostgres());
    expect(traffic.taken).toBeGreaterThan(0);
  });

  it('when the event store is frozen for 20 s: contacts are taken all the while', async () => {
    await through('frozen', async (traffic) => {
      const before = traffic.taken;
      cluster.eventStore.freeze();
      await sleep(20_000);
      expect(traffic.taken).toBeGreaterThan(before + 200);
      expect((await cluster.of('recorder')[0]!.readiness()).body).toMatchObject({ eventStore: 'unavailable' });
      expect((await cluster.of('ingest')[0]!.readiness()).status).toBe(200);
      // It can even be started anew meanwhile.
      await cluster.of('ingest')[0]!.stop();
      expect((await cluster.startProgram('ingest').readiness()).status).toBe(200);
      cluster.eventStore.thaw();
    });
  });

  it('when every program is stopped and started again, one after the other, while contacts come', async () => {
    await through('rolling', async () => {
      for (const program of cluster.programs.filter(({ isRunning }) => isRunning)) {
        await cluster.startProgram(program.name).url();
        expect([program.name, await program.stop()]).toEqual([program.name, { code: 0, signal: null }]);
      }
    });
  });

  it('and no program has ended by itself for any of it', () => {
    const ended = cluster.programs.filter(({ isRunning, asked }) => !isRunning && !asked);
    expect(ended.map(({ name, stderr }) => [name, stderr.slice(-2000)])).toEqual([]);
    expect(cluster.programs.filter(({ isRunning }) => isRunning)).toHaveLength(8);
  });
});
