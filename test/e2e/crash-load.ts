import type { IngestAnswer } from '#libs/channels/ingest/ingest.service.js';
import type { HubClient } from './hub-client.js';

/** What a sender knows of a delivery that was answered. */
export interface Acknowledged {
  /** Number of the contact. */
  contact: number;
  revision: number;
  status: 'recorded' | 'duplicate' | 'corrected';
  receipt: string;
  position: number;
}

export interface LoadCounts {
  requests: number;
  acknowledged: number;
  recorded: number;
  duplicate: number;
  corrected: number;
  profiles: number;
  lost: number;
}

const CHANNELS = ['email', 'phone', 'chat', 'social'] as const;
const FILLER = 'Where is my order? I have been waiting for it since last week. '.repeat(8);
/** Contacts of one customer come one after the other, so that customers keep appearing. */
const CONTACTS_A_CUSTOMER = 4;

export const customerOfContact = (contact: number): number => Math.floor(contact / CONTACTS_A_CUSTOMER);
export const externalIdOf = (contact: number): string => `contact-${contact}`;
export const emailOf = (customer: number): string => `person-${customer}@example.com`;
export const phoneOf = (customer: number): string => `+1415${String(2_000_000 + customer)}`;
export const loyaltyOf = (customer: number): string => `LOYAL-${customer}`;

// Two of four carry a pair of identifiers: together they say that all three are one person.
const identifiersOf = (contact: number): { type: string; value: string }[] => {
  const customer = customerOfContact(contact);
  const email = { type: 'email', value: emailOf(customer) };
  const phone = { type: 'phone', value: phoneOf(customer) };
  const loyalty = { type: 'loyalty', value: loyaltyOf(customer) };
  return [[email, phone], [email], [phone], [loyalty, email]][contact % CONTACTS_A_CUSTOMER]!;
};

/** A contact is what its number and revision say: sent again, it is the same delivery again. */
export const contactOf = (contact: number, revision: number): object => ({
  channel: CHANNELS[contact % CHANNELS.length],
  account: 'crash',
  externalId: externalIdOf(contact),
  revision,
  kind: 'message',
  threadId: `thread-${customerOfContact(contact)}`,
  occurredAt: new Date(Date.UTC(2025, 0, 1) + contact * 61_000).toISOString(),
  customer: { identifiers: identifiersOf(contact), name: `Person Number${customerOfContact(contact)}` },
  subject: `Contact ${contact}`,
  text: `Contact ${contact} in revision ${revision}. ${FILLER}`,
});

const profileOf = (customer: number): object => ({
  source: 'crm',
  externalId: `person-${customer}`,
  name: `Person Number${customer}`,
  identifiers: [
    { type: 'email', value: emailOf(customer) },
    { type: 'phone', value: phoneOf(customer) },
  ],
});

/**
 * Several senders that post singles and batches, send again what they sent before, and correct it, until the hub is
 * gone; it remembers what was answered.
 */
export class CrashLoad {
  readonly acknowledged: Acknowledged[] = [];
  /** Answers no sender should get. */
  readonly surprises: string[] = [];
  readonly counts: LoadCounts = {
    requests: 0,
    acknowledged: 0,
    recorded: 0,
    duplicate: 0,
    corrected: 0,
    profiles: 0,
    lost: 0,
  };
  /** Highest revision sent, by contact. */
  private readonly revisions: number[] = [];
  /** Sent, and nothing heard. */
  private unanswered: number[] = [];
  private stopped = false;

  constructor(
    private readonly random: () => number,
    private readonly senders: number,
  ) {}

  get contacts(): number {
    return this.revisions.length;
  }

  /** Sends until `stop` or until the hub answers no more. */
  async run(client: HubClient): Promise<void> {
    this.stopped = false;
    await Promise.all(Array.from({ length: this.senders }, () => this.send(client)));
  }

  stop(): void {
    this.stopped = true;
  }

  private async send(client: HubClient): Promise<void> {
    while (!this.stopped) {
      const isAnswered =
        this.contacts > 0 && this.random() < 0.05 ? await this.sendProfile(client) : await this.sendContacts(client);
      if (!isAnswered) return;
    }
  }

  private async sendContacts(client: HubClient): Promise<boolean> {
    const isBatch = this.random() < 0.4;
    const deliveries = Array.from({ length: isBatch ? 2 + this.whole(40) : 1 }, () => this.next());
    const contacts = deliveries.map(({ contact, revision }) => contactOf(contact, revision));
    this.counts.requests += 1;
    const answer = await client.post<IngestAnswer>('/v1/interactions', isBatch ? contacts : contacts[0]).catch(() => {
      this.counts.lost += 1;
      this.unanswered.push(...deliveries.map(({ contact }) => contact));
    });
    if (!answer) return false;
    if (answer.status !== 202) this.surprises.push(`${answer.status}: ${answer.text}`);
    else for (const result of answer.body.results) this.hear(deliveries[result.index]!, result);
    return true;
  }

  private async sendProfile(client: HubClient): Promise<boolean> {
    this.counts.requests += 1;
    const profile = profileOf(this.whole(customerOfContact(this.contacts) + 1));
    const answer = await client.post<IngestAnswer>('/v1/profiles', profile).catch(() => void (this.counts.lost += 1));
    if (!answer) return false;
    this.counts.profiles += 1;
    const [result] = answer.body.results;
    if (answer.status !== 202 || !['recorded', 'duplicate'].includes(result!.status))
      this.surprises.push(`profile ${answer.status}: ${answer.text}`);
    else if (result!.status === 'duplicate') this.counts.duplicate += 1;
    return true;
  }

  private hear(delivery: { contact: number; revision: number }, result: IngestAnswer['results'][number]): void {
    const { status, receipt, position } = result;
    if (receipt === undefined || position === undefined || status === 'accepted' || status === 'parked')
      this.surprises.push(`contact ${delivery.contact}: ${JSON.stringify(result)}`);
    else if (status === 'rejected') this.surprises.push(`contact ${delivery.contact} was rejected`);
    else {
      this.acknowledged.push({ ...delivery, status, receipt, position });
      this.counts.acknowledged += 1;
      this.counts[status] += 1;
    }
  }

  /** A new contact, or an earlier one again, or a correction of one; what nobody answered comes first. */
  private next(): { contact: number; revision: number } {
    const dice = this.random();
    if (this.contacts === 0 || dice < 0.6) {
      this.revisions.push(1);
      return { contact: this.contacts - 1, revision: 1 };
    }
    const lost = dice < 0.7 ? this.unanswered.shift() : undefined;
    const contact = lost ?? this.whole(this.contacts);
    const sent = this.revisions[contact]!;
    if (dice < 0.85) return { contact, revision: 1 + this.whole(sent) };
    this.revisions[contact] = sent + 1;
    return { contact, revision: sent + 1 };
  }

  private whole(below: number): number {
    return Math.floor(this.random() * below);
  }
}
