import { HubError } from '#libs/kernel';
import { busKeyOf } from './bus-key.js';
import type { BusMessage, DeliveryOutcome, InteractionBus } from './interaction-bus.port.js';

/** How to get at an adapter; a gap is declared with a sentence and shows as a skipped test. */
export interface InteractionBusUnderTest {
  /** @param capacity messages the bus may hold */
  open: (capacity: number) => Promise<InteractionBus> | InteractionBus;
  /** What durable means: that the consumer has recorded a message, or that the bus itself keeps it. @default 'recorded' */
  durable?: 'recorded' | 'accepted';
  lacks?: { capacity?: string };
}

/** A message of one conversation; the number is its place in the order of publishing. */
export const messageOf = (thread: string, number: number): BusMessage => ({
  type: 'interaction',
  receipt: `${thread}-${number}`,
  interaction: {
    tenant: 'acme',
    channel: 'chat',
    account: 'web',
    externalId: `${thread}-${number}`,
    kind: 'message',
    threadId: thread,
    direction: 'inbound',
    occurredAt: '2025-03-02T09:15:29.140Z',
    receivedAt: '2025-03-02T09:15:30.000Z',
    text: `message ${number}`,
  },
});

export const outcomesOf = (messages: readonly BusMessage[], status: DeliveryOutcome['status']): DeliveryOutcome[] =>
  messages.map(({ receipt }) => ({ status, receipt }));

export const recordedOf = (messages: readonly BusMessage[]): DeliveryOutcome[] => outcomesOf(messages, 'recorded');

/** Longest that anything here may take: a consumer joins its group first. */
const SOON_MS = 15_000;

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + SOON_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${SOON_MS} ms: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

/** The second half of the port: what every adapter promises. */
export const interactionBusContract = (
  name: string,
  { open, durable = 'recorded', lacks = {} }: InteractionBusUnderTest,
): void => {
  describe(`${name} keeps the promises of InteractionBus`, () => {
    let bus: InteractionBus;
    // It may not be askable yet.
    const backlog = () => bus.backlog().catch(() => undefined);
    const answerTo = (messages: readonly BusMessage[]) => outcomesOf(messages, durable);
    afterEach(() => bus.close());

    it('answers a publish with one outcome per message, in order', async () => {
      bus = await open(100);
      bus.consume(async (messages) => recordedOf(messages));
      const messages = Array.from({ length: 20 }, (_, i) => messageOf('t', i));
      expect(await bus.publish(messages)).toEqual(answerTo(messages));
    });

    it('gives each of several concurrent publishes its own outcomes', async () => {
      bus = await open(1000);
      bus.consume(async (messages) => recordedOf(messages));
      const published = Array.from({ length: 30 }, (_, i) => [messageOf(`a${i}`, 0), messageOf(`b${i}`, 0)]);
      const outcomes = await Promise.all(published.map((messages) => bus.publish(messages)));
      expect(outcomes).toEqual(published.map(answerTo));
    });

    it('hands the messages of one key over in the order they were published', async () => {
      bus = await open(10_000);
      const seen = new Map<string, number[]>();
      bus.consume(async (messages) => {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
        for (const message of messages) {
          const key = busKeyOf(message);
          seen.set(key, [...(seen.get(key) ?? []), Number(message.receipt.split('-')[1])]);
        }
        return recordedOf(messages);
      });
      const running: Promise<unknown>[] = [];
      for (let i = 0; i < 300; i++) {
        running.push(bus.publish([messageOf(`t${i % 3}`, i)]));
        if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await Promise.all(running);
      await until(() => [...seen.values()].flat().length >= 300);
      for (const order of seen.values()) expect(order).toEqual(order.toSorted((a, b) => a - b));
      expect([...seen.values()].flat()).toHaveLength(300);
    });

    it('keeps messages until there is a consumer', async () => {
      bus = await open(100);
      const published = bus.publish([messageOf('t', 1)]);
      expect(bus.inFlight()).toBe(1);
      await until(async () => (await backlog()) === 1);
      const handled: string[] = [];
      bus.consume(async (messages) => {
        handled.push(...messages.map(({ receipt }) => receipt));
        return recordedOf(messages);
      });
      expect(await published).toHaveLength(1);
      expect(bus.inFlight()).toBe(0);
      expect(bus.waitingFor('t-1')).toBe(durable === 'accepted' ? 'acme' : undefined);
      await until(async () => (await backlog()) === 0);
      expect(handled).toEqual(['t-1']);
    });

    it('says whether everything accepted so far is handled', async () => {
      bus = await open(100);
      expect(await bus.handledSoFar(SOON_MS)).toBe(true);
      const published = bus.publish([messageOf('t', 1)]);
      if (durable === 'accepted') {
        await published;
        expect(await bus.handledSoFar(200)).toBe(false);
      }
      let handled = 0;
      bus.consume(async (messages) => {
        handled += messages.length;
        return recordedOf(messages);
      });
      await published;
      expect(await bus.handledSoFar(SOON_MS)).toBe(true);
      expect(handled).toBe(1);
    });

    it('takes an empty publish without asking the consumer', async () => {
      bus = await open(100);
      expect(await bus.publish([])).toEqual([]);
    });

    it(
      durable === 'recorded'
        ? 'rejects the publish whose messages the consumer failed on, and carries on'
        : 'hands over again what the consumer failed on, and carries on',
      async () => {
        bus = await open(100);
        const failure = new HubError('EVENT_STORE.UNAVAILABLE', 'no space', { retryable: true });
        let failures = 0;
        let failing = true;
        const handled: string[] = [];
        bus.consume(async (messages) => {
          if (failing) {
            failures += 1;
            throw failure;
          }
          handled.push(...messages.map(({ receipt }) => receipt));
          return recordedOf(messages);
        });
        const first = bus.publish([messageOf('t', 1)]);
        if (durable === 'recorded') await expect(first).rejects.toMatchObject({ code: failure.code, retryable: true });
        else expect(await first).toEqual(answerTo([messageOf('t', 1)]));
        await until(() => failures > 0);
        expect(bus.inFlight()).toBe(0);
        failing = false;
        expect(await bus.publish([messageOf('t', 2)])).toHaveLength(1);
        const expected = durable === 'recorded' ? ['t-2'] : ['t-1', 't-2'];
        await until(() => handled.length === expected.length);
        expect(handled).toEqual(expected);
      },
    );

    it('stops after the running batch and takes nothing more', async () => {
      bus = await open(100);
      let release = (): void => undefined;
      const gate = new Promise<void>((resolve) => (release = resolve));
      const handled: string[] = [];
      let begun = false;
      const consumer = bus.consume(async (messages) => {
        begun = true;
        await gate;
        handled.push(...messages.map(({ receipt }) => receipt));
        return recordedOf(messages);
      });
      const first = bus.publish([messageOf('t', 1)]);
      await until(() => begun);
      const second = bus.publish([messageOf('t', 2)]).catch((error: unknown) => error);
      const stopped = consumer.stop();
      release();
      await stopped;
      await first;
      expect(handled).toEqual(['t-1']);
      await bus.close();
      // Where the bus keeps it, it waits there for the next consumer.
      if (durable === 'recorded') expect(await second).toMatchObject({ code: 'BUS.CLOSED' });
      else expect(await second).toEqual(answerTo([messageOf('t', 2)]));
    });

    it('answers for everything it took before it closes, and takes nothing afterwards', async () => {
      bus = await open(100);
      bus.consume(async (messages) => recordedOf(messages));
      const published = bus.publish([messageOf('t', 1), messageOf('t', 2)]);
      await bus.close();
      expect(await published).toHaveLength(2);
      await expect(bus.publish([messageOf('t', 3)])).rejects.toMatchObject({ code: 'BUS.CLOSED', retryable: true });
    });

    const capacity = lacks.capacity ? it.skip : it;
    capacity(`refuses a publish it has no room for, whole${lacks.capacity ? `: ${lacks.capacity}` : ''}`, async () => {
      bus = await open(10);
      const waiting = bus.publish(Array.from({ length: 8 }, (_, i) => messageOf('t', i)));
      const three = Array.from({ length: 3 }, (_, i) => messageOf('u', i));
      await expect(bus.publish(three)).rejects.toMatchObject({ code: 'BUS.FULL', retryable: true });
      expect(bus.inFlight()).toBe(8);
      bus.consume(async (messages) => recordedOf(messages));
      await waiting;
      expect(await bus.publish(three)).toHaveLength(3);
    });
  });
};
