import { ChannelAdapter, type ParsedDelivery, type RawDelivery } from '../channel-adapter.port.js';
import { plainAddress } from '../accounts/declared.account-directory.js';
import { settingsOf } from '../shared/settings-of.js';
import { EmailSettings, mailAddresses } from './email.config.js';
import { parseMail } from './email.parse.js';

/** Mail as SMTP hands it over; `body` is the message (RFC 5322). */
export class EmailAdapter extends ChannelAdapter {
  readonly name = 'email';
  readonly channel = 'email';
  readonly transport = 'smtp';
  readonly settings = EmailSettings;
  override readonly needsSecret = false;
  override readonly maxBodyBytes = 100 * 1024 * 1024;

  verify(): void {
    // SMTP proves no sender: the listener takes mail for declared recipients only, and addresses stay claims.
  }

  async parse(delivery: RawDelivery): Promise<ParsedDelivery> {
    const { account, body, receivedAtMs } = delivery;
    const nullSender = delivery.headers['mail-from'] === '<>';
    const contact = await parseMail(body, {
      account: account.name,
      receivedAtMs,
      nullSender,
      isOwn: ownSenders([account]),
    });
    return { interactions: [contact], ignored: [] };
  }
}

type Account = RawDelivery['account'];

/** Tells the addresses of these accounts, and what they declare as own senders, from everybody else's. */
export const ownSenders = (accounts: readonly Account[]): ((address: string) => boolean) => {
  const own = new Set<string>();
  for (const account of accounts) {
    for (const address of mailAddresses(account)) own.add(plainAddress(address));
    for (const sender of settingsOf(EmailSettings, account).ownSenders ?? []) own.add(plainAddress(sender));
  }
  return (address) => own.has(plainAddress(address)) || own.has(address.slice(address.lastIndexOf('@')).toLowerCase());
};
