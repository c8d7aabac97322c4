import type { PostgresPool } from '#libs/kernel/postgres.js';
import { postgresForTests } from '../../../../test/engines/postgres/postgres-server.js';
import { newStream } from '../event-store.contract.js';
import { MemoryEventStore } from '../memory/memory.event-store.js';
import { openOperations } from '../postgres/operations-schema.js';
import { contactAt, deliveryLedgerContract, none, shop, support } from './delivery-ledger.contract.js';
import { PostgresDeliveryLedger } from './postgres.delivery-ledger.js';

const newAddress = postgresForTests();
let pool: PostgresPool;
const open = async () => {
  pool = await openOperations(newAddress());
  const events = new MemoryEventStore();
  return { events, ledger: new PostgresDeliveryLedger(pool, events) };
};

deliveryLedgerContract('PostgresDeliveryLedger', { open, close: () => pool.end() });

describe('PostgresDeliveryLedger', () => {
  afterEach(() => pool.end());

  it('counts each delivery once, whichever programs look', async () => {
    const { events, ledger } = await open();
    const others = [1, 2, 3].map(() => new PostgresDeliveryLedger(pool, events));
    const accounts = [support, shop, { ...support, tenant: 'zeta' }];
    for (let round = 0; round < 5; round++) {
      for (let n = 0; n < 500; n++) await events.append(newStream(), [contactAt(accounts[n % 3]!)], 'no_stream');
      for (const one of others) one.count(support, 'duplicate');
      await Promise.all(others.map((one) => one.totals()));
    }
    const { countedThrough, rows } = await ledger.totals();
    expect(countedThrough).toBe(2500);
    expect(rows).toEqual([
      { ...support, ...none, recorded: 835, duplicate: 15 },
      { ...shop, ...none, recorded: 835 },
      { ...support, tenant: 'zeta', ...none, recorded: 830 },
    ]);
  });

  it('keeps what it could not save', async () => {
    const { events } = await open();
    let broken = true;
    const flaky: PostgresPool = {
      ...pool,
      query: (...asked) => (broken ? Promise.reject(new Error('no connection')) : pool.query(...asked)),
    };
    const ledger = new PostgresDeliveryLedger(flaky, events);
    ledger.count(shop, 'parked');
    await expect(ledger.flush()).rejects.toThrow('no connection');
    broken = false;
    ledger.count(shop, 'parked');
    expect((await ledger.totals()).rows).toEqual([{ ...shop, ...none, parked: 2 }]);
    await ledger.close();
  });
});
