import { KafkaHandled } from './kafka.handled.js';

/** A topic of two partitions and the group that reads it. */
class Topic {
  ends = ['5', '0'];
  committed = ['5', '-1'];
  failure: Error | undefined;
  looks = 0;

  fetchTopicOffsets = async () => {
    if (this.failure) throw this.failure;
    return this.ends.map((high, partition) => ({ partition, offset: high, high, low: '0' }));
  };

  fetchOffsets = async () => {
    this.looks += 1;
    const partitions = this.committed.map((offset, partition) => ({ partition, offset, metadata: null }));
    return [{ topic: 'interactions', partitions }];
  };
}

const LONG_MS = 10_000;

describe('KafkaHandled', () => {
  let topic: Topic;
  let handled: KafkaHandled;
  beforeEach(() => {
    topic = new Topic();
    handled = new KafkaHandled(() => Promise.resolve(topic), 'recorder', 'interactions');
  });

  it('says so where the group has come to the end of every partition that holds anything', async () => {
    expect(await handled.soFar(LONG_MS)).toBe(true);
  });

  it('waits for what was there when it was asked, and not for what comes later', async () => {
    topic.ends = ['7', '1'];
    const asked = handled.soFar(LONG_MS);
    await new Promise((turn) => setImmediate(turn));
    topic.ends = ['900', '900'];
    topic.committed = ['7', '1'];
    expect(await asked).toBe(true);
    expect(await handled.soFar(0)).toBe(false);
  });

  it('gives whoever comes while others wait an end of its own', async () => {
    topic.ends = ['7', '0'];
    const first = handled.soFar(LONG_MS);
    await new Promise((turn) => setImmediate(turn));
    topic.ends = ['8', '0'];
    const second = handled.soFar(300);
    topic.committed = ['7', '-1'];
    expect(await Promise.all([first, second])).toEqual([true, false]);
  });

  it('takes one look for all who ask', async () => {
    await Promise.all(Array.from({ length: 20 }, () => handled.soFar(LONG_MS)));
    expect(topic.looks).toBeLessThanOrEqual(2);
  });

  it('fails where no broker answers, and can be asked again', async () => {
    topic.failure = new Error('no broker');
    await expect(handled.soFar(LONG_MS)).rejects.toMatchObject({ code: 'BUS.UNAVAILABLE', retryable: true });
    topic.failure = undefined;
    expect(await handled.soFar(LONG_MS)).toBe(true);
  });
});
