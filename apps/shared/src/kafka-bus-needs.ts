import type { BusMessage } from '#libs/bus';
import type { DeadLetter } from '#libs/bus/kafka/kafka.dead-letters.js';
import type { KafkaBusNeeds } from '#libs/bus/kafka/kafka.interaction-bus.js';
import { readEvent } from '#libs/channels/ingest/event-reader.js';
import type { DeliveryAccount } from '#libs/event-store';
import { toInstant } from '#libs/kernel';
import { BusSeal } from '#libs/privacy';
import type { BesideLog } from './open-cluster.js';
import type { ProgramParts } from './parts.js';

/** Of what nobody knows whose it is; no tenant can have this name. */
const NO_TENANT = '-';

/** What a bus that keeps messages needs of the other rooms. */
export const kafkaBusNeeds = (
  { log, logger, clock }: Pick<ProgramParts<BesideLog>, 'log' | 'logger' | 'clock'>,
  onFailure: (error: Error) => void,
): KafkaBusNeeds => ({
  seal: new BusSeal(log.vault, clock),
  hashKey: (busKey) => log.ids.digest(`bus key\u0000${busKey}`),
  readForeign: (tenant, event) => {
    const nowMs = clock.nowMs();
    return readEvent(event, { tenant, nowMs, receivedAt: toInstant(nowMs), ids: log.ids });
  },
  park: async (letter) => {
    const { topic, partition, offset, reasonCode, reason, contentType, bytes, message } = letter;
    const account = message ? accountOf(message) : placeOf(letter);
    await log.parked.park({
      // Taken off its topic once more, it is the same parked message, one attempt later.
      id: log.ids.parked(`${topic}/${partition}/${offset}`, log.ids.digest(bytes.toString('latin1')), reasonCode),
      ...account,
      stage: message ? 'record' : 'parse',
      reasonCode,
      reason,
      contentType,
      bytes,
      receivedAtMs: clock.nowMs(),
      ...(message && { receipt: message.receipt }),
    });
    log.ledger.count(account, 'parked');
    await log.ledger.flush();
  },
  onFailure,
  logger,
});

const placeOf = ({ tenant = NO_TENANT, topic }: DeadLetter): DeliveryAccount => ({
  tenant,
  channel: 'kafka',
  account: topic,
});

const accountOf = (message: BusMessage): DeliveryAccount =>
  message.type === 'interaction'
    ? { tenant: message.interaction.tenant, channel: message.interaction.channel, account: message.interaction.account }
    : { tenant: message.profile.tenant, channel: 'profile', account: message.profile.source };
