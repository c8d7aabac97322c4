import { ChannelAdapter, type DeliveryAnswer, type ParsedDelivery, type RawDelivery } from '../channel-adapter.port.js';
import { settingsOf } from '../shared/settings-of.js';
import { MessengerSettings } from './messenger.config.js';
import { parseMessenger } from './messenger.parse.js';
import { answerHandshake, verifyMeta } from './messenger.verify.js';

/** Facebook Messenger and page comments. */
export class MessengerAdapter extends ChannelAdapter {
  readonly name = 'messenger';
  readonly channel = 'social';
  readonly transport = 'webhook';
  readonly settings = MessengerSettings;

  override handshake({ account, method, url }: RawDelivery): DeliveryAnswer | undefined {
    return method === 'GET' ? answerHandshake(url, settingsOf(MessengerSettings, account).verifyToken) : undefined;
  }

  verify(delivery: RawDelivery): void {
    verifyMeta(delivery);
  }

  parse(delivery: RawDelivery): ParsedDelivery {
    return parseMessenger(delivery);
  }
}
