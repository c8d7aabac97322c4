import { HubError } from '#libs/kernel';
import { interactionBusContract, messageOf, recordedOf } from '../interaction-bus.contract.js';
import { EmbeddedInteractionBus } from './embedded.interaction-bus.js';

interactionBusContract('EmbeddedInteractionBus', { open: (capacity) => new EmbeddedInteractionBus({ capacity }) });

describe('EmbeddedInteractionBus', () => {
  it('hands publishes of one turn over together', async () => {
    const bus = new EmbeddedInteractionBus({ capacity: 1000 });
    const sizes: number[] = [];
    bus.consume(async (messages) => {
      sizes.push(messages.length);
      return recordedOf(messages);
    });
    await Promise.all(Array.from({ length: 50 }, (_, i) => bus.publish([messageOf('t', i)])));
    expect(sizes).toEqual([50]);
  });

  it('divides what waits at publishes, at most 256 messages a batch', async () => {
    const bus = new EmbeddedInteractionBus({ capacity: 10_000 });
    const sizes: number[] = [];
    bus.consume(async (messages) => {
      sizes.push(messages.length);
      return recordedOf(messages);
    });
    const publishOf = (size: number) => bus.publish(Array.from({ length: size }, (_, i) => messageOf('t', i)));
    await Promise.all([publishOf(150), publishOf(150), publishOf(100), publishOf(1500)]);
    expect(sizes).toEqual([150, 250, 1500]);
  });

  it('refuses only the publish that a defect of the consumer concerns', async () => {
    const bus = new EmbeddedInteractionBus({ capacity: 100 });
    bus.consume(async (messages) => {
      if (messages.some(({ receipt }) => receipt === 't-2')) throw new HubError('INTAKE.DEFECT', 'cannot');
      return recordedOf(messages);
    });
    const settled = await Promise.allSettled([1, 2, 3].map((i) => bus.publish([messageOf('t', i)])));
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('does not try again what failed for want of the store', async () => {
    const bus = new EmbeddedInteractionBus({ capacity: 100 });
    let calls = 0;
    bus.consume(async () => {
      calls += 1;
      throw new HubError('EVENT_STORE.UNAVAILABLE', 'no space', { retryable: true });
    });
    const settled = await Promise.allSettled([1, 2, 3].map((i) => bus.publish([messageOf('t', i)])));
    expect(settled.every(({ status }) => status === 'rejected')).toBe(true);
    expect(calls).toBe(1);
  });

  it('refuses when the texts that wait are too large together', async () => {
    const bus = new EmbeddedInteractionBus({ capacity: 100, capacityBytes: 10_000 });
    const large = messageOf('t', 1);
    if (large.type === 'interaction') large.interaction.text = 'x'.repeat(9000);
    const first = bus.publish([large]);
    await expect(bus.publish([messageOf('t', 2)])).rejects.toMatchObject({ code: 'BUS.FULL' });
    bus.consume(async (messages) => recordedOf(messages));
    await first;
    await bus.publish([messageOf('t', 2)]);
  });

  it('takes a publish larger than its capacity when nothing waits', async () => {
    const bus = new EmbeddedInteractionBus({ capacity: 2 });
    bus.consume(async (messages) => recordedOf(messages));
    expect(await bus.publish([1, 2, 3].map((i) => messageOf('t', i)))).toHaveLength(3);
  });

  it('rejects when the consumer forgets an outcome', async () => {
    const bus = new EmbeddedInteractionBus({ capacity: 2 });
    bus.consume(async () => []);
    await expect(bus.publish([messageOf('t', 1)])).rejects.toMatchObject({ code: 'BUS.OUTCOMES_MISSING' });
  });

  it('has one consumer', () => {
    const bus = new EmbeddedInteractionBus({ capacity: 2 });
    bus.consume(async (messages) => recordedOf(messages));
    expect(() => bus.consume(async (messages) => recordedOf(messages))).toThrow('one consumer');
  });
});
