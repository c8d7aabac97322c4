import { randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import { openEventStore } from '#libs/event-store/open-event-store.js';
import { bytesOfUuid, uuidOfBytes, type Uuid } from '#libs/kernel';
import { openSqlite, type SqliteDatabase, type SqliteValue } from '#libs/kernel/sqlite.js';
import { PROJECTOR, READ_MODEL_VERSION } from '#libs/projections/read-model/read-model.port.js';
import { READ_MODEL_FILE } from '#libs/projections/read-model/open-read-model.js';
import { SqliteReadModel } from '#libs/projections/read-model/sqlite/sqlite.read-model.js';
import { streamId } from '#libs/event-store';
import { TENANT } from '../hub.js';
import { randomOf, zipfOf } from '../load/random.js';

export interface LargeReadModel {
  dataDir: string;
  entries: number;
  customers: number;
}

export interface PageCustomer {
  id: Uuid;
  key: number;
}

const CONTACTS_A_THREAD = 4;
const FIRST_MS = Date.UTC(2025, 0, 1);
const STEP_MS = 6000;
const PAGE = 50;
const SAMPLE = 4000;
const CHANNELS = ['email', 'chat', 'phone', 'whatsapp', 'commerce'];
const ACCOUNTS = ['support@shop.example', 'web-widget', '+34910000000', '+34600000000', 'shop.example'];
const PREVIEW =
  'the parcel of last week has not arrived and the tracking page still shows the depot near the airport could you tell me';

/**
 * A data directory whose read model holds millions of entries, as the projector would have written them, and whose log
 * holds only the newest event. Answers with customers whose page is full.
 */
export const writeLargeReadModel = async ({ dataDir, entries, customers }: LargeReadModel): Promise<PageCustomer[]> => {
  const log = await openEventStore({ dataDir, eventStoreUrl: 'sqlite:' });
  const identities = Array.from({ length: customers }, (_, customer) =>
    log.ids.identity(TENANT, 'email', pageEmailOf(customer)),
  );
  const file = join(dataDir, READ_MODEL_FILE);
  // Opened and closed once for its tables; the rows go in past the projector.
  const readModel = SqliteReadModel.open({ file, bulk: true, cacheKiB: 262_144 });
  const db = openSqlite(file, { synchronous: 'off', cacheKiB: 262_144 });
  writeNames(db, identities, entries);
  const newest = writeEntries(db, entries, customers);
  readModel.finishBulk();
  readModel.checkpointFile();
  const full = db
    .prepare(
      `SELECT i.id, i.key FROM (SELECT customer, count(*) AS n FROM timeline GROUP BY customer HAVING n > ?) AS t
       JOIN identity AS i ON i.key = t.customer`,
    )
    .all<{ id: ArrayBuffer; key: number }>([PAGE]);
  db.close();
  await readModel.close();

  const anchor = identities[newest.customer]!;
  await log.events.append(
    streamId('interaction', uuidOfBytes(newest.id)),
    [{ id: uuidOfBytes(randomFillSync(Buffer.alloc(16))), type: 'InteractionRecorded', schema: 1, tenant: TENANT, data: newestContent(anchor, newest.customer) }],
    'no_stream',
  ); // prettier-ignore
  await log.close();
  const events = openSqlite(join(dataDir, 'events.db'));
  events.prepare('UPDATE event SET position = ?').run([entries]);
  events.prepare('UPDATE mark SET position = ?').run([entries]);
  events.close();

  const random = randomOf(7);
  return full
    .map(({ id, key }) => ({ id: uuidOfBytes(id), key, order: random() }))
    .toSorted((a, b) => a.order - b.order)
    .slice(0, SAMPLE)
    .map(({ id, key }) => ({ id, key }));
};

const pageEmailOf = (customer: number): string => `reader${customer}@mail.example`;

const newestContent = (anchor: Uuid, customer: number): object => ({
  channel: CHANNELS[0],
  account: ACCOUNTS[0],
  externalId: 'newest',
  revision: 1,
  kind: 'message',
  conversation: anchor,
  direction: 'inbound',
  occurredAt: new Date(FIRST_MS).toISOString(),
  receivedAt: new Date(FIRST_MS).toISOString(),
  anchor,
  identities: [{ identity: anchor, type: 'email', value: pageEmailOf(customer) }],
  digest: 'none',
});

const writeNames = (db: SqliteDatabase, identities: readonly Uuid[], entries: number): void =>
  db.transaction(() => {
    db.prepare('INSERT INTO checkpoint VALUES (?, ?, ?)').run([PROJECTOR, READ_MODEL_VERSION, entries]);
    db.prepare('INSERT INTO tenant VALUES (1, ?)').run([TENANT]);
    const label = db.prepare('INSERT INTO label VALUES (?, ?)');
    [...CHANNELS, ...ACCOUNTS].forEach((text, index) => label.run([index + 1, text]));
    const add = db.prepare(
      `INSERT INTO identity (key, id, tenant, type, value, verified, firstPosition, customer, name, nameAt)
       VALUES (?, ?, 1, 'email', ?, 0, 1, ?, ?, ?)`,
    );
    identities.forEach((id, customer) => {
      const key = customer + 1;
      add.run([key, bytesOfUuid(id), pageEmailOf(customer), key, `Customer Number${customer}`, FIRST_MS]);
    });
  });

const ROWS_A_STATEMENT = 50;
const COLUMNS = 16;
const ROWS_A_TRANSACTION = 50_000;

interface Newest {
  id: Buffer;
  customer: number;
}

const insertOf = (rows: number): string => {
  const row = `(${Array.from({ length: COLUMNS }, () => '?').join(', ')})`;
  return `INSERT INTO entry VALUES ${Array.from({ length: rows }, () => row).join(', ')}`;
};

const writeEntries = (db: SqliteDatabase, entries: number, customers: number): Newest => {
  const [many, one] = [db.prepare(insertOf(ROWS_A_STATEMENT)), db.prepare(insertOf(1))];
  const addConversation = db.prepare('INSERT INTO conversation VALUES (?, ?, 1)');
  const draw = zipfOf(customers, randomOf(5));
  const contactsOf = new Uint32Array(customers);
  const conversationOf = new Uint32Array(customers);
  let conversations = 0;
  let newest: Newest = { id: Buffer.alloc(16), customer: 0 };
  for (let position = 0; position < entries;)
    db.transaction(() => {
      let rows: SqliteValue[] = [];
      for (const end = Math.min(entries, position + ROWS_A_TRANSACTION); position < end;) {
        position += 1;
        const customer = draw();
        if (contactsOf[customer]!++ % CONTACTS_A_THREAD === 0) {
          conversations += 1;
          conversationOf[customer] = conversations;
          addConversation.run([conversations, randomFillSync(Buffer.alloc(16))]);
        }
        const channel = conversationOf[customer]! % CHANNELS.length;
        const id = randomFillSync(Buffer.alloc(16));
        const occurredAt = FIRST_MS + position * STEP_MS;
        newest = { id, customer };
        rows.push(
          position, id, customer + 1, conversationOf[customer]!, channel + 1, CHANNELS.length + channel + 1, 0, 0,
          occurredAt, occurredAt + 900, 0, 1, `Where is order ${position}`, PREVIEW, `agent${customer % 40}`, null,
        ); // prettier-ignore
        if (rows.length === ROWS_A_STATEMENT * COLUMNS) {
          many.run(rows);
          rows = [];
        }
      }
      for (let i = 0; i < rows.length; i += COLUMNS) one.run(rows.slice(i, i + COLUMNS));
    });
  return newest;
};
