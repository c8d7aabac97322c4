import { FixedClock } from '#libs/kernel';
import { BusSeal, busKeyId } from '#libs/privacy';
import { MemoryKeyVault } from '#libs/privacy/vault/memory/memory.key-vault.js';
import { messageOf } from '../interaction-bus.contract.js';
import type { BusMessage } from '../interaction-bus.port.js';
import { openMessages, outgoingOf, sealed } from './kafka.message.js';

const NOW = Date.UTC(2026, 0, 2);
const vault = new MemoryKeyVault();
const clock = new FixedClock(NOW);
const seal = new BusSeal(vault, clock);
const profile: BusMessage = {
  type: 'profile',
  receipt: 'r-1',
  profile: {
    tenant: 'acme',
    source: 'crm',
    externalId: '7',
    receivedAt: '2025-03-02T09:15:30.000Z',
    name: 'A. Canary',
  },
};

const carried = async (message: BusMessage) => {
  const { value, ...rest } = sealed(
    outgoingOf(message, () => 'hash'),
    await seal.now(),
  );
  return { ...rest, value: Buffer.from(value!) };
};
const eventOf = ({ value }: { value: Buffer }) => JSON.parse(value.toString()) as Record<string, string>;
const openMessage = async (message: { value: Buffer | null }) => (await openMessages([message], seal))[0];
const changed = (message: { value: Buffer }, change: object) => ({
  value: Buffer.from(JSON.stringify({ ...eventOf(message), ...change })),
});

describe('a message on Kafka', () => {
  it.each([messageOf('thread of canary', 1), profile])(
    'is opened as it went in, and closed on the way (%#)',
    async (message) => {
      const onTheWay = await carried(message);
      const inClear = message.type === 'profile' ? /canary/i : /message 1/;
      expect(JSON.stringify(onTheWay) + onTheWay.value.toString()).not.toMatch(inClear);
      expect(await openMessage(onTheWay)).toEqual(message);
    },
  );

  it('is a CloudEvent in structured mode', async () => {
    const message = await carried(messageOf('t', 1));
    expect(message).toMatchObject({ key: 'hash', headers: { 'content-type': 'application/cloudevents+json' } });
    expect(eventOf(message)).toEqual({
      specversion: '1.0',
      id: 't-1',
      source: '/tenants/acme/channels/chat/accounts/web',
      type: 'hilo.interaction.v1',
      time: '2025-03-02T09:15:30.000Z',
      datacontenttype: 'application/vnd.hilo.sealed',
      data_base64: expect.any(String) as unknown,
    });
  });

  it('carries its trace in clear, as the extension of CloudEvents', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const message = await carried({ ...profile, traceparent });
    expect(eventOf(message)).toMatchObject({ traceparent });
    expect(await openMessage(message)).toEqual({ ...profile, traceparent });
    expect(await openMessage(changed(message, { traceparent: 'Ana' }))).toEqual(profile);
  });

  it('does not open under the envelope of another, or changed', async () => {
    const one = await carried(messageOf('t', 1));
    const sealedBytes = Buffer.from(eventOf(one).data_base64!, 'base64');
    sealedBytes[sealedBytes.length - 1]! ^= 1;
    for (const other of [{ id: 't-2' }, { source: '/x' }, { data_base64: sealedBytes.toString('base64') }])
      expect(await openMessage(changed(one, other))).toMatchObject({ code: 'BUS.SEAL_BROKEN' });
  });

  it('is refused when it was not sealed here, or its day has ended', async () => {
    const message = await carried(messageOf('t', 1));
    const others = [Buffer.from('{}'), Buffer.from('null'), Buffer.from('no event'), null];
    for (const value of others) expect(await openMessage({ value })).toMatchObject({ code: 'BUS.NOT_SEALED' });
    const inClear = changed(message, { data_base64: Buffer.from('{}').toString('base64') });
    expect(await openMessage(inClear)).toMatchObject({ code: 'BUS.NOT_SEALED' });
    await vault.destroy(busKeyId(NOW));
    expect(await openMessage(message)).toMatchObject({ code: 'BUS.KEY_ENDED' });
  });

  it('is opened among others by its own key, in the order given', async () => {
    const yesterday = await carried(messageOf('t', 1));
    clock.advance(24 * 60 * 60 * 1000);
    const today = [await carried(messageOf('t', 2)), await carried(messageOf('t', 3))];
    await vault.destroy(busKeyId(NOW));
    const opened = await openMessages([today[0]!, yesterday, { value: Buffer.from('{}') }, today[1]!], seal);
    expect(opened).toMatchObject([
      { receipt: 't-2' },
      { code: 'BUS.KEY_ENDED' },
      { code: 'BUS.NOT_SEALED' },
      { receipt: 't-3' },
    ]);
  });
});
