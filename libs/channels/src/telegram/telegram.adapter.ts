import { ChannelAdapter, type ParsedDelivery, type RawDelivery } from '../channel-adapter.port.js';
import { parseTelegram } from './telegram.parse.js';
import { verifyTelegram } from './telegram.verify.js';

/** Updates of a Telegram bot. */
export class TelegramAdapter extends ChannelAdapter {
  readonly name = 'telegram';
  readonly channel = 'social';
  readonly transport = 'webhook';

  verify(delivery: RawDelivery): void {
    verifyTelegram(delivery);
  }

  parse(delivery: RawDelivery): ParsedDelivery {
    return parseTelegram(delivery);
  }
}
