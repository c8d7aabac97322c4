import { interactionBusContract } from '#libs/bus/interaction-bus.contract.js';
import { KafkaBroker } from './broker.js';
import { KafkaInstallation } from './kafka-bus.js';

jest.setTimeout(90_000);

let broker: KafkaBroker;
beforeAll(async () => {
  broker = await KafkaBroker.start();
});
afterAll(() => broker.stop());

interactionBusContract('KafkaInteractionBus', {
  durable: 'accepted',
  open: async (busCapacity) => (await new KafkaInstallation(broker, {}, { busCapacity }).ensure()).open(),
});
