import type { RawDelivery } from '../channel-adapter.port.js';
import { anySecret, unverified } from '../shared/secrets.js';

/** Compares the secret header with the tokens given to `setWebhook`. @throws HubError `CHANNEL.UNVERIFIED` */
export const verifyTelegram = ({ account, headers }: RawDelivery): void => {
  const given = headers['x-telegram-bot-api-secret-token'];
  if (given === undefined) throw unverified(account, 'the delivery carries no X-Telegram-Bot-Api-Secret-Token');
  if (!anySecret(given, account.secrets)) throw unverified(account, 'the secret token does not match');
};
