import { randomUUID } from 'node:crypto';
import { streamId } from '#libs/event-store';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { interactionContent } from '#libs/testing';
import { postgresForTests } from '../../../../test/engines/postgres/postgres-server.js';
import { shownRows } from '../../../../test/engines/shown-rows.js';
import { Projector } from '../projector/projector.js';
import { PostgresReadModelHome } from '../read-model/postgres/postgres.read-model-home.js';
import type { PostgresReadModel } from '../read-model/postgres/postgres.read-model.js';
import { rebuild } from '../rebuild/rebuild.js';
import { shardsOf, type Shard } from '../shards.js';
import { divideReadModel } from './divide-read-model.js';
import { PostgresProjectorLease } from './postgres.projector-lease.js';
import { PostgresProjectorShare } from './postgres.projector-share.js';

const newAddress = postgresForTests();
const TENANTS = ['acme', 'globex', 'initech', 'umbrella', 'hooli'];

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const id = (letter: string, n: number): string => `${letter}0000000-0000-8000-8000-${String(n).padStart(12, '0')}`;

/** A log of contacts of several tenants, in turn, each of whose customers come back and are joined by links. */
class Log extends MemoryEventStore {
  private contacts = 0;

  async grow(by: number): Promise<void> {
    for (const end = this.contacts + by; this.contacts < end; this.contacts++) {
      const n = this.contacts;
      const [tenant, person] = [TENANTS[n % TENANTS.length]!, n % (TENANTS.length * 3)];
      const email = {
        identity: id('2', person),
        type: 'email' as const,
        value: `p${person}@example.com`,
        ...(n % 2 === 0 && { verified: true as const }),
      };
      const phone = { identity: id('3', person), type: 'phone' as const, value: `+34600${person}` };
      const data = interactionContent({
        channel: n % 2 === 0 ? 'chat' : 'email',
        account: `account-${n % 7}`,
        externalId: `m${n}`,
        digest: `d${n}`,
        conversation: id('4', n % (TENANTS.length * 4)),
        anchor: email.identity,
        identities: n % 4 === 0 ? [email, phone] : [email],
      });
      await this.put(streamId('interaction', id('1', n)), 'InteractionRecorded', tenant, data);
      if (n % 12 !== 0) continue;
      const link = {
        link: id('5', person),
        a: email.identity,
        b: phone.identity,
        rule: 'r1',
        evidence: 'contact',
        confidence: 1,
      };
      if ((await this.read(streamId('link', link.link))).length === 0)
        await this.put(streamId('link', link.link), 'IdentitiesLinked', tenant, link);
    }
  }

  private put(stream: ReturnType<typeof streamId>, type: string, tenant: string, data: object) {
    return this.append(stream, [{ id: randomUUID(), type, schema: 1, tenant, data }], 'no_stream');
  }
}

const installation = async () => {
  const log = new Log();
  const url = newAddress();
  const home = new PostgresReadModelHome(url);
  const open = async (): Promise<PostgresReadModel> => {
    const readModel = await home.open();
    closing.push(() => readModel.close());
    return readModel;
  };
  await open();
  const divide = (shards: number) => divideReadModel({ url, shards, log, open: () => home.open() });
  /** Each shard by a projector of its own, all at once. */
  const fold = (shards: readonly Shard[]) =>
    Promise.all(
      shards.map(async (shard) => {
        const projector = new Projector(await open(), log, { shard });
        // Labels are named by several of them at the same moment; where they wait for each other, one is told to go again.
        for (;;)
          try {
            return await projector.catchUp(undefined, 7);
          } catch (error) {
            if ((error as { retryable?: boolean }).retryable !== true) throw error;
          }
      }),
    );
  return { log, url, home, open, divide, fold };
};

/** What one projector makes of the same log. */
const foldedByOne = async (log: Log) => {
  const readModel = await new PostgresReadModelHome(newAddress()).open();
  closing.push(() => readModel.close());
  await new Projector(readModel, log).catchUp();
  return shownRows(readModel);
};

describe('the shards of a read model', () => {
  it('show together what one projector shows', async () => {
    const { log, open, divide, fold } = await installation();
    await divide(3);
    await log.grow(300);
    await fold(shardsOf(3));
    const rows = await shownRows(await open());
    expect(rows.timeline).toHaveLength(300);
    expect(rows.link.length).toBeGreaterThan(3);
    expect(rows).toEqual(await foldedByOne(log));
  });

  it('can be other ones from then on, wherever each of them was', async () => {
    const { log, open, divide, fold } = await installation();
    await divide(1);
    await log.grow(100);
    await fold(shardsOf(1));
    await divide(4);
    await log.grow(100);
    // Two of them are left behind.
    await fold(shardsOf(4).slice(2));
    await divide(3);
    await log.grow(100);
    await fold(shardsOf(3));
    await divide(1);
    await log.grow(20);
    await fold(shardsOf(1));
    expect(await shownRows(await open())).toEqual(await foldedByOne(log));
  });

  it('stay as they are while one of them is led, and a projector of a division that is over writes nothing', async () => {
    const { log, url, open, divide } = await installation();
    await divide(2);
    const [shard] = shardsOf(2);
    const lease = new PostgresProjectorLease({ url, shard, leaseMs: 900 });
    const stop = new AbortController();
    let leads: () => void;
    const led = new Promise<void>((resolve) => (leads = resolve));
    const over = lease.lead(async (lost) => {
      leads();
      await new Promise<void>((resolve) => lost.addEventListener('abort', () => resolve()));
    }, stop.signal);
    closing.push(() => lease.close());
    await led;
    await expect(divide(3)).rejects.toMatchObject({
      code: 'READ_MODEL.DIVIDED_OTHERWISE',
      message: expect.stringContaining('stop all projectors, then start them with 3') as unknown,
    });
    await divide(2);
    const stalled = new Projector(await open(), log, { shard });
    await stalled.checkpoint();
    stop.abort();
    await over;
    await divide(3);
    await log.grow(10);
    await expect(stalled.catchUp()).rejects.toMatchObject({ code: 'READ_MODEL.FENCED' });
    for (const other of [shard, undefined])
      await expect(new Projector(await open(), log, other && { shard: other }).catchUp()).rejects.toMatchObject({
        code: 'READ_MODEL.DIVIDED_OTHERWISE',
      });
  });

  it('are not folded anew beside those who read them: their rows would have other keys', async () => {
    const { log, home, divide } = await installation();
    await divide(1);
    await log.grow(5);
    expect(await rebuild({ home, log })).toBe(await log.head());
    for (const shards of [2, 1]) {
      await divide(shards);
      await expect(rebuild({ home, log })).rejects.toMatchObject({ code: 'READ_MODEL.DIVIDED' });
    }
  });
});

describe('projectors that share shards out', () => {
  const LEASE_MS = 900;

  /** A program; `leads` are the shards it leads now. */
  const program = (url: string, shards: number) => {
    const leads = new Set<number>();
    const stop = new AbortController();
    const share = new PostgresProjectorShare({ url, shards, leaseMs: LEASE_MS });
    const running = shardsOf(shards).map(async (shard) => {
      const lease = new PostgresProjectorLease({ url, shard, share, leaseMs: LEASE_MS });
      await lease.lead(async (lost) => {
        leads.add(shard.index);
        if (!lost.aborted) await new Promise<void>((resolve) => lost.addEventListener('abort', () => resolve()));
        leads.delete(shard.index);
      }, stop.signal);
      await lease.close();
    });
    let ended: Promise<void> | undefined;
    const end = () =>
      (ended ??= (async () => {
        stop.abort();
        await Promise.all(running);
        await share.close();
      })());
    closing.push(end);
    return { leads, end };
  };

  const until = async (holds: () => boolean): Promise<void> => {
    for (const end = Date.now() + 20_000; !holds(); await new Promise((turn) => setTimeout(turn, 20)))
      if (Date.now() > end) throw new Error(`not within 20 s: ${holds.toString()}`);
  };

  it('lead as many each, all of them together, also when one comes or goes', async () => {
    const { url } = await installation();
    const one = program(url, 4);
    await until(() => one.leads.size === 4);
    const two = program(url, 4);
    await until(() => one.leads.size === 2 && two.leads.size === 2);
    expect(new Set([...one.leads, ...two.leads]).size).toBe(4);
    await one.end();
    await until(() => two.leads.size === 4);
  }, 90_000);

  it('leave one without a shard where there are fewer than programs', async () => {
    const { url } = await installation();
    const programs = [1, 2, 3].map(() => program(url, 2));
    const counts = () => programs.map(({ leads }) => leads.size).toSorted((a, b) => a - b);
    await until(() => String(counts()) === '0,1,1');
    const [ended] = programs.filter(({ leads }) => leads.size === 1);
    await ended!.end();
    await until(() => String(counts()) === '0,1,1');
    expect(ended!.leads.size).toBe(0);
  }, 90_000);
});
