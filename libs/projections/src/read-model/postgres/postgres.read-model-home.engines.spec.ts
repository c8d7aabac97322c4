import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { streamId } from '#libs/event-store';
import { codeOf, type Uuid } from '#libs/kernel';
import { openPostgres } from '#libs/kernel/postgres.js';
import { interactionContent } from '#libs/testing';
import { postgresForTests } from '../../../../../test/engines/postgres/postgres-server.js';
import { Projector } from '../../projector/projector.js';
import { rebuild } from '../../rebuild/rebuild.js';
import { tableDigests } from '../../rebuild/table-digests.js';
import { PostgresReadModelHome } from './postgres.read-model-home.js';
import { readModelSchema } from './postgres.read-model.js';

const newAddress = postgresForTests();

const uuid = (letter: string, n: number): Uuid => `${letter}0000000-0000-8000-8000-${String(n).padStart(12, '0')}`;

const contact = (store: MemoryEventStore, n: number) =>
  store.append(
    streamId('interaction', uuid('1', n)),
    [
      {
        id: uuid('e', n),
        type: 'InteractionRecorded',
        schema: 1,
        tenant: 'acme',
        data: interactionContent({ externalId: `m${n}`, conversation: uuid('c', n % 50), digest: `d${n}` }),
      },
    ],
    'no_stream',
  );

it('is rebuilt while others read it and a projector writes it, with no gap and no event lost', async () => {
  const home = new PostgresReadModelHome(newAddress());
  const store = new MemoryEventStore();
  for (let n = 1; n <= 1000; n++) await contact(store, n);
  const [live, reader] = [await home.open(), await home.open({ readonly: true })];
  let projector = new Projector(live, store);
  await projector.catchUp();

  const rebuilt = new AbortController();
  let events = 1000;
  let fenced = 0;
  const writing = (async () => {
    while (!rebuilt.signal.aborted) {
      await contact(store, ++events);
      try {
        await projector.catchUp();
      } catch (error) {
        if (codeOf(error) !== 'READ_MODEL.FENCED') throw error;
        fenced += 1;
        projector = new Projector(live, store);
      }
    }
  })();
  let most = 1000;
  const reading = (async () => {
    while (!rebuilt.signal.aborted) {
      const { shown } = await reader.db
        .selectFrom('timeline')
        .select(({ fn }) => fn.countAll<number>().as('shown'))
        .executeTakeFirstOrThrow();
      expect(shown).toBeGreaterThanOrEqual(most);
      most = shown;
    }
  })();
  const position = await rebuild({ home, log: store }).finally(() => rebuilt.abort());
  await Promise.all([writing, reading]);
  expect(position).toBeGreaterThanOrEqual(1000);
  // It was in the middle of nothing, or stopped once and began anew.
  expect(fenced).toBeLessThanOrEqual(1);

  await new Projector(live, store).catchUp();
  const rows = await tableDigests(live);
  expect(rows.find(({ table }) => table === 'entry')?.rows).toBe(events);
  const fresh = await new PostgresReadModelHome(newAddress()).open();
  await new Projector(fresh, store).catchUp();
  expect(await tableDigests(fresh)).toEqual(rows);
  for (const readModel of [live, reader, fresh]) await readModel.close();
}, 60_000);

it('scrubs what stands beside it too, and is not done while somebody reads the state before', async () => {
  const url = newAddress();
  const home = new PostgresReadModelHome(url);
  const readModel = await home.open();
  const prefix = new URL(url).searchParams.get('schema')!;
  const schema = readModelSchema(url);
  const left = [`${prefix}_read_model_1`, `${prefix}_read_model_2_next`, `${schema}_next`, `${schema}_old`];
  const kept = [`${prefix}_read_model_999`, `${prefix}_keys`];
  const server = openPostgres({ url, schema: 'public', room: 'TEST', connections: 2 });
  for (const name of [...left, ...kept]) await server.query(`CREATE SCHEMA ${name}`);

  const reader = await server.connect();
  await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await reader.query('SELECT 1');
  expect(await home.deletedRows.scrub()).toBe(false);
  await reader.query('COMMIT');
  reader.release();
  expect(await home.deletedRows.scrub()).toBe(true);
  const { rows } = await server.query<{ name: string }>(
    'SELECT nspname AS name FROM pg_namespace WHERE starts_with(nspname, $1)',
    [`${prefix}_`],
  );
  expect(rows.map(({ name }) => name).toSorted()).toEqual([...kept, schema].toSorted());
  await server.end();
  await readModel.close();
}, 60_000);
