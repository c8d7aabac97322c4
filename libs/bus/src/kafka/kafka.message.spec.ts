import type { KafkaMessage } from 'kafkajs';
import { FixedClock } from '#libs/kernel';
import { BusSeal, busKeyId } from '#libs/privacy';
import { MemoryKeyVault } from '#libs/privacy/vault/memory/memory.key-vault.js';
import { messageOf } from '../interaction-bus.contract.js';
import type { BusMessage } from '../interaction-bus.port.js';
import { openMessage, outgoingOf, sealed } from './kafka.message.js';

const NOW = Date.UTC(2026, 0, 2);
const vault = new MemoryKeyVault();
const seal = new BusSeal(vault, new FixedClock(NOW));
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

const carried = async (message: BusMessage): Promise<KafkaMessage> => {
  const { key, headers, value } = sealed(
    outgoingOf(message, () => 'hash'),
    await seal.now(),
  );
  return {
    key: Buffer.from(key as string),
    value: value as Buffer,
    // As they come off the wire.
    headers: Object.fromEntries(
      Object.entries(headers ?? {}).map(([name, text]) => [name, Buffer.from(text as string)]),
    ),
    timestamp: '0',
    attributes: 0,
    offset: '0',
  };
};

describe('a message on Kafka', () => {
  it.each([messageOf('thread of canary', 1), profile])(
    'is opened as it went in, and closed on the way (%#)',
    async (message) => {
      const onTheWay = await carried(message);
      expect(JSON.stringify(onTheWay)).not.toMatch(/canary/i);
      expect(onTheWay.value!.includes('anary')).toBe(false);
      expect(await openMessage(onTheWay, seal)).toEqual(message);
    },
  );

  it('does not open under the envelope of another, or changed', async () => {
    const one = await carried(messageOf('t', 1));
    const two = await carried(messageOf('t', 2));
    expect(await openMessage(Object.assign({}, one, { headers: two.headers }) as KafkaMessage, seal)).toMatchObject({
      code: 'BUS.SEAL_BROKEN',
    });
    one.value![one.value!.length - 1]! ^= 1;
    expect(await openMessage(one, seal)).toMatchObject({ code: 'BUS.SEAL_BROKEN' });
  });

  it('is refused when it was not sealed here, or its day has ended', async () => {
    const message = await carried(messageOf('t', 1));
    expect(await openMessage({ ...message, value: Buffer.from('{}') }, seal)).toMatchObject({ code: 'BUS.NOT_SEALED' });
    expect(await openMessage({ ...message, value: null }, seal)).toMatchObject({ code: 'BUS.NOT_SEALED' });
    await vault.destroy(busKeyId(NOW));
    expect(await openMessage(message, seal)).toMatchObject({ code: 'BUS.KEY_ENDED' });
  });
});
