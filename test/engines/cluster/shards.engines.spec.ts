import { setTimeout as sleep } from 'node:timers/promises';
import type { ReceiptDto } from '#libs/queries/receipts/get-receipt.handler.js';
import { indexOf } from '#libs/projections/shards.js';
import { eventually } from '../../e2e/waiting.js';
import { shownRows } from '../shown-rows.js';
import { expectRecordedOnce, readTwice } from './audit.js';
import { Cluster } from './cluster.js';
import type { ProgramProcess } from './program-process.js';
import { Traffic, trafficContact } from './traffic.js';

jest.setTimeout(240_000);

const TENANTS = ['acme', 'globex', 'initech', 'umbrella'];

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start({ HILO_PROJECTOR_SHARDS: '2' });
  const names = ['projector', 'projector', 'projector', 'recorder', 'ingest', 'timeline-api'] as const;
  await Promise.all(names.map((name) => cluster.startProgram(name).url()));
});
afterAll(() => cluster.stop());

/** Which shards each running projector leads. */
const leads = async (): Promise<Map<ProgramProcess, number[]>> => {
  const all = new Map<ProgramProcess, number[]>();
  for (const projector of cluster.of('projector'))
    all.set(projector, (await projector.readiness()).body['leads'] as number[]);
  return all;
};

const led = async (shards: readonly number[]): Promise<Map<ProgramProcess, number[]>> =>
  eventually(async () => {
    const found = await leads();
    expect([...found.values()].flat().toSorted((a, b) => a - b)).toEqual(shards);
    expect(Math.max(...[...found.values()].map((some) => some.length))).toBe(Math.ceil(shards.length / found.size));
    return found;
  });

/** Receipts of everything that was taken in this file. */
const taken = new Set<string>();

/** A contact of a tenant, once its timelines show it. */
const shown = async (tenant: string, n: number): Promise<ReceiptDto> => {
  const sender = await cluster.client('ingest', 'integration', 0, tenant);
  const agent = await cluster.client('timeline-api', 'agent', 0, tenant);
  const [{ receipt } = {}] = await sender.take([trafficContact('single', n)]);
  taken.add(receipt!);
  const { position } = await agent.receipt(receipt!);
  const { id } = await agent.customer(`email:person${n % 50}.single@example.com`, position);
  expect((await agent.timeline(id)).items.map((entry) => entry.id)).toContain(receipt);
  return agent.receipt(receipt!);
};

const expectAllThere = async (traffic: Traffic): Promise<void> => {
  await traffic.stop();
  for (const receipt of traffic.receipts) taken.add(receipt);
  await expectRecordedOnce(cluster, taken);
  const { live, anew } = await readTwice(cluster, shownRows);
  expect(live).toEqual(anew);
  expect(live.timeline).toHaveLength(taken.size);
};

describe('projectors that share two shards out', () => {
  it('lead one each, and the third stands by', async () => {
    expect(new Set(TENANTS.map((tenant) => indexOf(tenant, 2))).size).toBe(2);
    const found = await led([0, 1]);
    expect([...found.values()].filter((some) => some.length === 0)).toHaveLength(1);
  });

  it('show together what one projector of all tenants shows; where one is killed, the other shard goes on meanwhile', async () => {
    const traffic = Traffic.start(cluster, 'shards', TENANTS);
    await sleep(2000);
    const [killed, [shard]] = [...(await led([0, 1]))].find(([, some]) => some.length === 1)! as [
      ProgramProcess,
      [number],
    ];
    await killed.kill();
    const since = Date.now();
    const unharmed = TENANTS.find((tenant) => indexOf(tenant, 2) !== shard)!;
    expect(await shown(unharmed, 1)).toMatchObject({ status: 'recorded', visible: true });
    await led([0, 1]);
    expect(Date.now() - since).toBeLessThan(20_000);
    for (const [n, tenant] of TENANTS.entries()) expect(await shown(tenant, n + 2)).toMatchObject({ visible: true });
    await expectAllThere(traffic);
  });

  it('can be told of other shards once all are stopped, and not before', async () => {
    const three = { HILO_PROJECTOR_SHARDS: '3' };
    const early = cluster.startProgram('projector', three);
    expect(await early.exited).toEqual({ code: 1, signal: null });
    expect(early.stderr).toContain('stop all projectors, then start them with 3');
    const traffic = Traffic.start(cluster, 'divided', TENANTS);
    for (const projector of cluster.of('projector')) await projector.stop();
    await sleep(1000);
    for (let n = 0; n < 2; n++) cluster.startProgram('projector', three);
    await led([0, 1, 2]);
    // Resolvers of shards that are new read the log first.
    for (const [n, tenant] of TENANTS.entries())
      expect(await eventually(() => shown(tenant, n + 7))).toMatchObject({ visible: true });
    await expectAllThere(traffic);
    const rebuilt = await cluster.hilo('rebuild');
    expect(rebuilt).toMatchObject({ code: 1, stderr: expect.stringContaining('DROP SCHEMA') as unknown });
    expect(await cluster.hilo('reconcile')).toMatchObject({ code: 0 });
  });
});
