import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock, uuidOfBytes } from '#libs/kernel';
import { readSettings } from '#libs/kernel/settings.js';
import type { ReadModel } from '#libs/projections';
import { openReadModel } from '#libs/projections/read-model/open-read-model.js';
import { openSealedEventLog } from '#libs/privacy/open-sealed-event-store.js';
import { openClusterLog } from '../../../apps/shared/src/open-cluster.js';
import { importAll } from '../../storyline/import.js';
import {
  STORYLINE,
  TENANTS,
  deliveries,
  hasStoryline,
  importItem,
  profileItem,
  profiles,
  type StorylineRow,
} from '../../storyline/storyline.js';
import { settled } from './audit.js';
import { Cluster } from './cluster.js';

const MINUTES = 60_000;
const perTenant = (text: string): number => {
  const count = text === 'all' ? Number.POSITIVE_INFINITY : Number(text);
  if (!(count >= 1)) throw new Error(`HILO_STORYLINE_PER_TENANT is ${text}; a number from 1 or all is needed`);
  return count;
};

/**
 * Deliveries of each tenant, the first of them in the order they were received. `HILO_STORYLINE_PER_TENANT`, a number or
 * `all`; by default a slice, so that a busy machine is done in minutes.
 */
const PER_TENANT = perTenant(process.env.HILO_STORYLINE_PER_TENANT ?? '1500');
const BATCH = 500;
const COUNTRY = { HILO_DEFAULT_COUNTRY: 'US' };

const where = hasStoryline ? describe : describe.skip;
const title = hasStoryline
  ? `${PER_TENANT === Number.POSITIVE_INFINITY ? 'all' : `the first ${PER_TENANT}`} contacts of each tenant of a year`
  : `a year of contacts (skipped: ${STORYLINE} is not on this machine)`;

interface Log {
  readAll(options: { after: number }): AsyncIterable<{ position: number; data: object }[]>;
}

/** All timelines without ids and places in the log, which depend on pepper and order of arrival. */
const timelines = async (log: Log, { db }: ReadModel): Promise<string[]> => {
  const externalIds = new Map<number, string>();
  for await (const events of log.readAll({ after: 0 }))
    for (const { position, data } of events) externalIds.set(position, (data as { externalId: string }).externalId);
  const rows = await db
    .selectFrom('timeline')
    .innerJoin('entry', 'entry.position', 'timeline.position')
    .innerJoin('identity as customer', 'customer.key', 'timeline.customer')
    .innerJoin('tenant', 'tenant.key', 'customer.tenant')
    .select([
      'customer.id as customer',
      'tenant.text as tenant',
      'entry.position',
      'entry.occurredAt',
      'entry.subject',
      'entry.preview',
      'entry.outcome',
      'entry.revision',
    ]) // prettier-ignore
    .execute();
  const byCustomer = new Map<string, string[]>();
  for (const { customer, position, ...shown } of rows) {
    const id = uuidOfBytes(customer);
    const line = JSON.stringify([shown.occurredAt, externalIds.get(position), shown.tenant, shown.subject, shown.preview, shown.outcome, shown.revision]); // prettier-ignore
    byCustomer.set(id, [...(byCustomer.get(id) ?? []), line]);
  }
  return [...byCustomer.values()].map((lines) => lines.toSorted().join('\n')).toSorted();
};

where(title, () => {
  const work = mkdtempSync(join(tmpdir(), 'hilo-cluster-'));
  let cluster: Cluster;
  let rows: StorylineRow[];
  beforeAll(async () => {
    const all = await deliveries();
    rows = TENANTS.flatMap((tenant) => all.filter((row) => row.tenant === tenant).slice(0, PER_TENANT));
    cluster = await Cluster.start(COUNTRY);
    await cluster.startPrograms();
  }, 5 * MINUTES);
  afterAll(async () => {
    await cluster.stop();
    rmSync(work, { recursive: true, force: true });
  }, MINUTES);

  const hand = async (tenant: string, items: readonly object[], path: string): Promise<void> => {
    for (let from = 0, turn = 0; from < items.length; from += BATCH, turn++) {
      const sender = await cluster.client('ingest', 'integration', turn % 2, tenant);
      await sender.take(items.slice(from, from + BATCH), path);
    }
  };

  it(
    'gives the same counts, customers and timelines as the embedded engines',
    async () => {
      const since = Date.now();
      for (const tenant of TENANTS) {
        const people = profiles().filter((profile) => profile.tenant === tenant);
        await hand(tenant, people.map(profileItem), '/v1/profiles');
        const contacts = rows.filter((row) => row.tenant === tenant);
        // A running hub says itself when it received them.
        const items = contacts.map((row) => ({ ...importItem(row), receivedAt: undefined }));
        await hand(tenant, items, '/v1/interactions');
      }
      await settled(cluster, 25 * MINUTES);
      const shownMs = Date.now() - since;
      const books = await cluster.hilo('reconcile', '--json');
      expect({ code: books.code, stderr: books.stderr }).toEqual({
        code: 0,
        stderr: expect.stringContaining('everything adds up') as unknown,
      });

      const embedded = join(work, 'embedded');
      await importAll(embedded, rows, work);
      const settings = readSettings({ HILO_DATA_DIR: embedded, ...COUNTRY });
      const [there, here] = [
        await openClusterLog(readSettings({ ...cluster.env }), new SystemClock()),
        await openSealedEventLog(settings),
      ];
      const models = [
        await openReadModel(readSettings({ ...cluster.env }), { readonly: true }),
        await openReadModel(settings, { readonly: true }),
      ] as const;
      try {
        const [shared, own] = [await timelines(there.events, models[0]), await timelines(here, models[1])];
        process.stdout.write(
          `${rows.length} deliveries, ${shared.length} customers, embedded ${own.length}; in ${Math.round(shownMs / 1000)} s\n`,
        );
        expect(shared).toHaveLength(own.length);
        expect(shared).toEqual(own);
      } finally {
        for (const one of [...models, there, here]) await one.close();
      }
    },
    35 * MINUTES,
  );
});
