import { ChannelAdapter, type DeliveryAnswer, type ParsedDelivery, type RawDelivery } from '../channel-adapter.port.js';
import { settingsOf } from '../shared/settings-of.js';
import { ContactFormSettings } from './contact-form.config.js';
import { parseContactForm } from './contact-form.parse.js';
import { originOf, verifyContactForm } from './contact-form.verify.js';

/** Contact forms of our own web pages. */
export class ContactFormAdapter extends ChannelAdapter {
  readonly name = 'contact-form';
  readonly channel = 'web';
  readonly transport = 'form';
  readonly settings = ContactFormSettings;
  override readonly needsSecret = false;
  override readonly maxBodyBytes = 5 * 1024 * 1024;

  override handshake(delivery: RawDelivery): DeliveryAnswer | undefined {
    if (delivery.method !== 'OPTIONS') return undefined;
    return {
      status: 204,
      headers: {
        ...this.cors(delivery),
        'access-control-allow-methods': 'POST, OPTIONS',
        'access-control-allow-headers': 'content-type',
        'access-control-max-age': '600',
      },
    };
  }

  verify(delivery: RawDelivery): void {
    verifyContactForm(delivery, settingsOf(ContactFormSettings, delivery.account).allowedOrigins);
  }

  parse(delivery: RawDelivery): Promise<ParsedDelivery> {
    return parseContactForm(delivery, settingsOf(ContactFormSettings, delivery.account));
  }

  // A trapped machine is answered like anybody else.
  override answer(delivery: RawDelivery): DeliveryAnswer {
    const { redirectUrl } = settingsOf(ContactFormSettings, delivery.account);
    const isScript = /\bapplication\/json\b/i.test(delivery.headers.accept ?? '');
    if (redirectUrl !== undefined && !isScript) return { status: 303, headers: { location: redirectUrl } };
    return {
      status: 200,
      headers: { ...this.cors(delivery), 'content-type': 'application/json' },
      body: '{"success":true}',
    };
  }

  private cors({ account, headers }: RawDelivery): Record<string, string> {
    const { allowedOrigins } = settingsOf(ContactFormSettings, account);
    const origin = originOf(headers);
    if (allowedOrigins.includes('*')) return { 'access-control-allow-origin': '*' };
    const allowed = allowedOrigins.find((one) => one.toLowerCase() === origin);
    return allowed === undefined ? { vary: 'origin' } : { 'access-control-allow-origin': allowed, vary: 'origin' };
  }
}
