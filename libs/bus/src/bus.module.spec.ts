import { Test } from '@nestjs/testing';
import { HubSettings } from '#libs/kernel/settings.js';
import { BusModule, openBus } from './bus.module.js';
import { messageOf, recordedOf } from './interaction-bus.contract.js';
import { InteractionBus } from './interaction-bus.port.js';

const settings = (busUrl: string): HubSettings => Object.assign(new HubSettings(), { busUrl });

describe('BusModule', () => {
  it('offers the embedded bus, and drains it on shutdown', async () => {
    const module = await Test.createTestingModule({ imports: [BusModule.forRoot(settings('embedded:'))] }).compile();
    await module.init();
    const bus = module.get(InteractionBus);
    bus.consume(async (messages) => recordedOf(messages));
    const published = bus.publish([messageOf('t', 1)]);
    await module.close();
    expect(await published).toHaveLength(1);
  });

  it.each([
    ['kafka://a:9092', 'the engine kafka is not part of this release; use embedded:'],
    ['amqp://a', 'unknown engine "amqp"; allowed is embedded:'],
  ])('refuses %s', (url, message) => {
    expect(() => openBus(settings(url))).toThrow(`HILO_BUS_URL: ${message}`);
  });
});
