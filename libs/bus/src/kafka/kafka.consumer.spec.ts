import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import { HubError, codeOf, SystemClock } from '#libs/kernel';
import { silentLogger } from '#libs/kernel/logging.js';
import { readSettings } from '#libs/kernel/settings.js';
import { BusSeal } from '#libs/privacy';
import { MemoryKeyVault } from '#libs/privacy/vault/memory/memory.key-vault.js';
import { messageOf, recordedOf } from '../interaction-bus.contract.js';
import type { BusMessage, ConsumeBatch } from '../interaction-bus.port.js';
import { kafkaNames } from './kafka.client.js';
import { KafkaConsumer } from './kafka.consumer.js';
import type { DeadLetter, DeadLetters } from './kafka.dead-letters.js';
import { outgoingOf, sealed } from './kafka.message.js';

const seal = new BusSeal(new MemoryKeyVault(), new SystemClock());
const names = kafkaNames(readSettings({}));

const carried = async (message: BusMessage, offset: number): Promise<KafkaMessage> => {
  const { value } = sealed(
    outgoingOf(message, () => 'hash'),
    await seal.now(),
  );
  return { key: null, value: Buffer.from(value!), headers: {}, timestamp: '0', attributes: 0, offset: String(offset) };
};

/** A consumer on a client that only hands over what it is given. */
const consumerOf = (handle: ConsumeBatch) => {
  const listeners = new Map<string, (event: unknown) => void>();
  let eachBatch: ((payload: EachBatchPayload) => Promise<void>) | undefined;
  const client: Omit<Partial<Consumer>, 'on'> & { on: (name: string, listener: (event: unknown) => void) => void } = {
    on: (name, listener) => void listeners.set(name, listener),
    connect: () => Promise.resolve(),
    subscribe: () => Promise.resolve(),
    run: async (config) => void (eachBatch = config?.eachBatch),
    disconnect: () => Promise.resolve(),
  };
  const dead: DeadLetter[] = [];
  const failures: HubError[] = [];
  const consumer = new KafkaConsumer(
    { consumer: () => client } as unknown as Kafka,
    { take: async (letter: DeadLetter) => void dead.push(letter) } as unknown as DeadLetters,
    {
      names,
      seal,
      readForeign: () => ({ problem: 'nothing foreign here' }),
      handle,
      onFailure: (error) => failures.push(error),
      logger: silentLogger(),
      sessionMs: 45_000,
    },
  );
  consumer.start();
  const commits: string[] = [];
  const take = async (messages: KafkaMessage[], more: Partial<EachBatchPayload> = {}): Promise<void> => {
    while (!eachBatch) await new Promise((resume) => setImmediate(resume));
    await eachBatch({
      batch: { topic: names.interactions, partition: 0, messages },
      heartbeat: () => Promise.resolve(),
      resolveOffset: () => undefined,
      commitOffsetsIfNecessary: async (offsets?: { topics: { partitions: { offset: string }[] }[] }) =>
        void commits.push(offsets!.topics[0]!.partitions[0]!.offset),
      isRunning: () => true,
      isStale: () => false,
      ...more,
    } as unknown as EachBatchPayload);
  };
  const crash = (restart: boolean): void =>
    listeners.get('consumer.crash')!({ payload: { error: new Error('TypeError: x'), groupId: 'g', restart } });
  return { consumer, take, crash, commits, dead, failures };
};

const batchOf = (count: number): Promise<KafkaMessage[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => carried(messageOf('t', i), i)));

describe('KafkaConsumer', () => {
  it('names a delivery by its place, the same when it comes again', async () => {
    const handled: (string | undefined)[] = [];
    const { take } = consumerOf(async (messages) => {
      handled.push(...messages.map(({ delivery }) => delivery));
      return recordedOf(messages);
    });
    await take(await batchOf(2));
    await take(await batchOf(1));
    const place = `${names.interactions}/0`;
    expect(handled).toEqual([`${place}/0`, `${place}/1`, `${place}/0`]);
  });

  it('commits the next offset after the append, chunk by chunk', async () => {
    const steps: string[] = [];
    const { take, commits } = consumerOf(async (messages) => {
      steps.push(`${messages.length} after ${commits.length} commits`);
      return recordedOf(messages);
    });
    await take(await batchOf(300));
    expect(steps).toEqual(['256 after 0 commits', '44 after 1 commits']);
    expect(commits).toEqual(['256', '300']);
  });

  it('tries again in place what may pass, and commits nothing before', async () => {
    let failures = 2;
    const { take, commits, dead } = consumerOf(async (messages) => {
      if (failures-- > 0) throw new HubError('EVENT_STORE.UNAVAILABLE', 'no space', { retryable: true });
      expect(commits).toEqual([]);
      return recordedOf(messages);
    });
    await take(await batchOf(3));
    expect(commits).toEqual(['3']);
    expect(dead).toEqual([]);
  });

  it('commits nothing of what it could not finish when it is stopped', async () => {
    const { consumer, take, commits } = consumerOf(async () => {
      throw new HubError('EVENT_STORE.UNAVAILABLE', 'no space', { retryable: true });
    });
    const taken = take(await batchOf(3));
    await consumer.stop();
    await taken;
    expect(commits).toEqual([]);
  });

  it('sets aside the one message that a defect concerns, whatever the defect is', async () => {
    const handled: string[] = [];
    const { take, commits, dead } = consumerOf(async (messages) => {
      if (messages.some(({ receipt }) => receipt === 't-1')) throw new TypeError('x is undefined');
      handled.push(...messages.map(({ receipt }) => receipt));
      return recordedOf(messages);
    });
    await take(await batchOf(3));
    expect(handled).toEqual(['t-0', 't-2']);
    expect(dead).toMatchObject([{ offset: '1', reasonCode: 'BUS.DEFECT', message: { receipt: 't-1' } }]);
    expect(commits).toEqual(['3']);
  });

  it('sets aside what forgets an outcome', async () => {
    const { take, dead } = consumerOf(async () => []);
    await take(await batchOf(1));
    expect(dead).toMatchObject([{ reasonCode: 'BUS.OUTCOMES_MISSING' }]);
  });

  it('lets the client hear of its own errors, which it knows how to mend', async () => {
    const { take, commits } = consumerOf(async (messages) => recordedOf(messages));
    const rebalancing = Object.assign(new Error('rebalancing'), { name: 'KafkaJSProtocolError' });
    const refuse = { commitOffsetsIfNecessary: () => Promise.reject(rebalancing) };
    await expect(take(await batchOf(1), refuse)).rejects.toBe(rebalancing);
    expect(commits).toEqual([]);
  });

  it('says that it has ended for good, and stays quiet when the client comes back by itself', () => {
    const { crash, failures } = consumerOf(async (messages) => recordedOf(messages));
    crash(true);
    expect(failures).toEqual([]);
    crash(false);
    expect(failures.map(codeOf)).toEqual(['BUS.CONSUMER_CRASHED']);
  });
});
