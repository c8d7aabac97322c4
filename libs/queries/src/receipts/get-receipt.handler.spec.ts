import { randomUUID } from 'node:crypto';
import { streamId } from '#libs/event-store';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { MemoryParkedMessages } from '#libs/event-store/parked/memory.parked-messages.js';
import { FixedClock } from '#libs/kernel';
import { ProjectionProgress } from '#libs/projections';
import { GetReceiptHandler, GetReceiptQuery, type WaitingReceipts } from './get-receipt.handler.js';

const RECEIPT = randomUUID();

const setUp = (waiting?: Partial<WaitingReceipts>) => {
  const store = new MemoryEventStore();
  const parked = new MemoryParkedMessages(new FixedClock(0));
  const handler = new GetReceiptHandler(store, parked, new ProjectionProgress(), {
    waitingFor: () => undefined,
    handledSoFar: async () => true,
    ...waiting,
  });
  const record = (tenant = 'acme') =>
    store.append(
      streamId('interaction', RECEIPT),
      [{ id: randomUUID(), type: 'InteractionRecorded', schema: 1, tenant, data: {} }],
      'no_stream',
    );
  const ask = (tenant = 'acme', receipt: string = RECEIPT) => handler.execute(new GetReceiptQuery(tenant, receipt));
  return { record, ask };
};

describe('a receipt', () => {
  it('tells where its contact was recorded, and whether the timeline shows it', async () => {
    const { record, ask } = setUp();
    await record();
    expect(await ask()).toEqual({ receipt: RECEIPT, status: 'recorded', position: 1, visible: false });
  });

  it('that was given a moment ago is waited for', async () => {
    const handledSoFar = async (): Promise<boolean> => {
      await record();
      return true;
    };
    const { record, ask } = setUp({ handledSoFar });
    expect(await ask()).toMatchObject({ status: 'recorded' });
  });

  it('that this program itself has given is accepted', async () => {
    const { ask } = setUp({ waitingFor: () => 'acme' });
    expect(await ask()).toEqual({ receipt: RECEIPT, status: 'accepted', visible: false });
  });

  it('is unknown once everything accepted before the question is handled', async () => {
    const { ask } = setUp();
    await expect(ask()).rejects.toMatchObject({ code: 'RECEIPT.NOT_FOUND' });
  });

  it.each([
    ['while contacts wait on the bus', async () => false],
    ['while the bus cannot be asked', () => Promise.reject(new Error('no broker'))],
  ])('is neither unknown nor accepted %s', async (_, handledSoFar) => {
    const { ask } = setUp({ handledSoFar });
    await expect(ask()).rejects.toMatchObject({ code: 'RECEIPT.NOT_KNOWN_YET', retryable: true });
  });

  it('of another tenant answers as one that nobody has made does', async () => {
    for (const handled of [true, false]) {
      const { record, ask } = setUp({ handledSoFar: async () => handled });
      await record('globex');
      const codes = [ask(), ask('acme', randomUUID())].map((asked) =>
        asked.then(
          () => 'answered',
          (error: unknown) => (error as { code: string }).code,
        ),
      );
      const [others, nobodys] = await Promise.all(codes);
      expect(others).toBe(nobodys);
    }
  });

  it('that can be none is not asked for anywhere', async () => {
    const { ask } = setUp({ handledSoFar: () => Promise.reject(new Error('asked')) });
    await expect(ask('acme', 'constructor')).rejects.toMatchObject({ code: 'RECEIPT.NOT_FOUND' });
  });
});
