import { openBus } from '#libs/bus/bus.module.js';
import { SystemClock } from '#libs/kernel';
import { silentLogger } from '#libs/kernel/logging.js';
import { readSettings } from '#libs/kernel/settings.js';
import { openSealedEventStore } from '#libs/privacy/open-sealed-event-store.js';
import { kafkaBusNeeds } from '../../../../apps/shared/src/kafka-bus-needs.js';
import { TENANT } from '../hub.js';
import { answer } from '../job.js';
import { inBatches, makeTopics, messagesOf } from './publishing.js';

export interface HubLineLoad {
  /** Settings of the hub that is to record them; it does not run. */
  env: Readonly<Record<string, string>>;
  contacts: number;
  customers: number;
}

/** Messages a second. */
answer(async ({ env, ...load }: HubLineLoad): Promise<number> => {
  const settings = readSettings({ ...env });
  const clock = new SystemClock();
  await makeTopics(settings);
  const log = await openSealedEventStore(settings, clock);
  const bus = await openBus(settings, () =>
    kafkaBusNeeds({ log, logger: silentLogger(), clock }, (error) => {
      throw error;
    }),
  );
  const messages = messagesOf({ ...load, load: 'hub' }, { tenant: TENANT, ids: log.ids, clock });
  const rate = await inBatches(messages, (batch) => bus.publish(batch));
  await bus.close();
  await log.close();
  return rate;
});
