import { randomOf, zipfOf } from './random.js';

export interface Contact {
  /** The JSON as posted, one byte a character. */
  body: string;
  /** `type:value` of the customer. */
  identifier: string;
}

/** Bytes of every contact as posted. */
export const CONTACT_BYTES = 600;

const CONTACTS_A_THREAD = 4;
const YEAR_MS = 365 * 24 * 3_600_000;
const CHANNELS = [
  { channel: 'email', account: 'support@shop.example', kind: 'message' },
  { channel: 'chat', account: 'web-widget', kind: 'message' },
  { channel: 'phone', account: '+34910000000', kind: 'call' },
  { channel: 'whatsapp', account: '+34600000000', kind: 'message' },
  { channel: 'commerce', account: 'shop.example', kind: 'order' },
] as const;

const WORDS =
  'the parcel of last week has not arrived and the tracking page still shows the depot near the airport could you tell me when it leaves ';
const FILLER = WORDS.repeat(Math.ceil((2 * CONTACT_BYTES) / WORDS.length));

export const emailOf = (customer: number): string => `customer${customer}@mail.example`;

/** Contacts of 600 bytes in threads of four, skewed over the customers; one in five customers has a phone too. */
export class Interactions {
  private readonly customer: () => number;
  private readonly contactsOf: Uint32Array;
  private readonly firstMs = Date.now() - YEAR_MS;
  private made = 0;

  constructor(
    private readonly customers: number,
    /** Distinguishes the contacts of one load from those of another. */
    private readonly load: string,
    seed = 1,
  ) {
    this.customer = zipfOf(customers, randomOf(seed));
    this.contactsOf = new Uint32Array(customers);
  }

  next(): Contact {
    const customer = this.customer();
    const nth = this.contactsOf[customer]!++;
    const thread = Math.floor(nth / CONTACTS_A_THREAD);
    const { channel, account, kind } = CHANNELS[(customer + thread) % CHANNELS.length]!;
    const email = emailOf(customer);
    const phone = customer % 5 === 0 ? `,{"type":"phone","value":"+3461${String(customer).padStart(7, '0')}"}` : '';
    const number = this.made++;
    // A year passes over some thousand contacts a minute of it, and none lies in the future.
    const occurredAt = new Date(this.firstMs + ((number * 27_001) % YEAR_MS)).toISOString();
    const head =
      `{"channel":"${channel}","account":"${account}","externalId":"${this.load}-${number}","kind":"${kind}",` +
      `"threadId":"${this.load}-${customer}-${thread}","direction":"${nth % 3 === 2 ? 'outbound' : 'inbound'}",` +
      `"occurredAt":"${occurredAt}","customer":{"identifiers":[{"type":"email","value":"${email}"}${phone}],` +
      `"name":"Customer Number${customer}"},"subject":"Where is order ${number}","agent":"agent${customer % 40}","text":"`;
    const start = (number * 7) % WORDS.length;
    const body = `${head}${FILLER.slice(start, start + CONTACT_BYTES - head.length - 2)}"}`;
    return { body, identifier: `email:${email}` };
  }

  /** A batch as one body, and the identifier of its last contact. */
  batch(size: number): Contact {
    let body = '[';
    let identifier = '';
    for (let i = 0; i < size; i++) {
      const contact = this.next();
      body += i === 0 ? contact.body : `,${contact.body}`;
      identifier = contact.identifier;
    }
    return { body: `${body}]`, identifier };
  }
}
