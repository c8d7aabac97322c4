import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { eventOf, newStream } from '#libs/event-store/event-store.contract.js';
import { EventStoreDbEventStore } from '#libs/event-store/eventstoredb/eventstoredb.event-store.js';
import { memoryOperations } from '#libs/event-store/memory/memory.operations.js';
import { openEventStore } from '#libs/event-store/open-event-store.js';
import { SystemClock } from '#libs/kernel';
import {
  eventStoreDbKind,
  startEventStoreDb,
  type EventStoreDbUnderTest,
} from '#libs/testing/engines/event-store-db-server.js';
import { ranAgainst } from '../../../../test/engines/ran-against.js';
import { migrateCommand } from './migrate.js';

jest.setTimeout(60_000);

const clock = new SystemClock();
const kind = eventStoreDbKind();
let server: EventStoreDbUnderTest | undefined;
let dataDir: string;
beforeAll(async () => {
  server = await startEventStoreDb(kind);
  ranAgainst(`EventStoreDB: ${kind}`);
}, 300_000);
afterAll(() => server?.stop());
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'hilo-migrate-'));
});
afterEach(() => {
  rmSync(dataDir, { recursive: true });
  delete process.env['HILO_PEPPER'];
});

const append = async (count: number): Promise<void> => {
  const set = await openEventStore({ eventStoreUrl: 'sqlite:', dataDir });
  for (let i = 0; i < count; i++) {
    const stream = newStream();
    await set.events.append(
      stream,
      [eventOf('InteractionRecorded', { i }), eventOf('InteractionCorrected')],
      'no_stream',
    );
    await set.events.append(stream, [eventOf('InteractionRedacted', {}, 'globex', 2)], 1);
  }
  await set.close();
};

const migrate = async (...words: string[]): Promise<string> => {
  const out: string[] = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0);
  const silent = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    const hilo = new Command('hilo').option('--data-dir <dir>').addCommand(migrateCommand());
    await hilo.parseAsync(['--data-dir', dataDir, 'migrate', ...words], { from: 'user' });
    return out.join('');
  } finally {
    write.mockRestore();
    silent.mockRestore();
  }
};

describe(`hilo migrate into ${kind}`, () => {
  it('copies a log and what came later, and compares', async () => {
    const url = await server!.emptyUrl();
    await append(20);
    expect(await migrate('--to', url)).toMatch(
      /^60 events on both sides, checksum [0-9a-f]{64}; the order is the same\n$/,
    );
    await append(5);
    expect(await migrate('--to', url, '--in-flight', '8')).toMatch(/^75 events on both sides/);

    const [set, copy] = [
      await openEventStore({ eventStoreUrl: 'sqlite:', dataDir }),
      EventStoreDbEventStore.open({ url }),
    ];
    for await (const events of set.events.readAll({ after: 0 }))
      for (const { stream } of events.filter(({ revision }) => revision === 0)) {
        const withoutPositions = (await set.events.read(stream)).map(({ position: _, ...event }) => event);
        expect(await copy.read(stream)).toMatchObject(withoutPositions);
      }
    await copy.close();
    await set.close();
  });

  it('refuses a copy that something was added to', async () => {
    const url = await server!.emptyUrl();
    await append(2);
    const other = EventStoreDbEventStore.open({ url });
    await other.append(newStream(), [eventOf()], 'no_stream');
    await other.close();
    await expect(migrate('--to', url)).rejects.toMatchObject({ code: 'COPY.OTHER_LOG' });
  });

  it('binds the copy to the pepper of the data directory, and to no other', async () => {
    const url = await server!.emptyUrl();
    await append(2);
    const pepper = readFileSync(join(dataDir, 'pepper')).toString('base64');
    const other = randomBytes(32).toString('base64');
    process.env['HILO_PEPPER'] = other;
    await expect(migrate('--to', url)).rejects.toThrow(/^HILO_PEPPER: is not the pepper of this log.*pepper holds/);
    process.env['HILO_PEPPER'] = pepper;
    await migrate('--to', url);
    const open = (given: string) =>
      openEventStore({ eventStoreUrl: url, dataDir, pepper: given }, clock, {
        operations: async () => memoryOperations(clock),
      });
    await expect(open(other)).rejects.toMatchObject({ code: 'DATA_DIRECTORY.PEPPER_MISMATCH' });
    const [source, copy] = [await openEventStore({ eventStoreUrl: 'sqlite:', dataDir }), await open(pepper)];
    expect(copy.ids.identity('t', 'email', 'a')).toBe(source.ids.identity('t', 'email', 'a'));
    const totals = await copy.ledger.totals();
    expect(totals.rows.map(({ recorded, corrected }) => ({ recorded, corrected }))).toEqual([
      { recorded: 2, corrected: 2 },
    ]);
    await copy.close();
    await source.close();
  });

  it('refuses a log that was begun with another pepper, and adds nothing to it', async () => {
    const url = await server!.emptyUrl();
    await append(2);
    const pepper = randomBytes(32).toString('base64');
    const operations = async () => memoryOperations(clock);
    await (await openEventStore({ eventStoreUrl: url, dataDir, pepper }, clock, { operations })).close();
    await expect(migrate('--to', url)).rejects.toMatchObject({ code: 'COPY.OTHER_INSTALLATION' });
    const target = EventStoreDbEventStore.open({ url });
    expect(await target.head()).toBe(0);
    await target.close();
  });

  it.each([
    [['--to', 'sqlite:'], '--to'],
    [['--to', 'esdb://h?tls=false', '--from', 'esdb://g?tls=false'], '--from'],
    [['--to', 'esdb://h?tls=false', '--in-flight', '0'], '--in-flight'],
  ])('refuses %j', async (words, option) => {
    await expect(migrate(...words)).rejects.toMatchObject({
      code: 'CLI.USAGE',
      message: expect.stringContaining(option) as string,
    });
  });
});
