import { Test } from '@nestjs/testing';
import { HubSettings } from '#libs/kernel/settings.js';
import { BusModule, openBus } from './bus.module.js';
import { messageOf, recordedOf } from './interaction-bus.contract.js';
import { InteractionBus } from './interaction-bus.port.js';

const noNeeds = (): never => {
  throw new Error('the embedded bus needs nothing');
};

const settings = (busUrl: string): HubSettings => Object.assign(new HubSettings(), { busUrl });

describe('BusModule', () => {
  it('offers the embedded bus, and drains it on shutdown', async () => {
    const module = await Test.createTestingModule({
      imports: [BusModule.forRoot(settings('embedded:'), noNeeds)],
    }).compile();
    await module.init();
    const bus = module.get(InteractionBus);
    bus.consume(async (messages) => recordedOf(messages));
    const published = bus.publish([messageOf('t', 1)]);
    await module.close();
    expect(await published).toHaveLength(1);
  });

  it.each([
    ['amqp://a', 'unknown engine "amqp"; allowed are embedded: and kafka://host:port'],
    ['embedded:x', 'unknown engine "embedded"; allowed are embedded: and kafka://host:port'],
  ])('refuses %s', async (url, message) => {
    await expect(openBus(settings(url), noNeeds)).rejects.toThrow(`HILO_BUS_URL: ${message}`);
  });
});
