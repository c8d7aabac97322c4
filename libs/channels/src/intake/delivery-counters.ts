import { Injectable } from '@nestjs/common';
import { counter } from '#libs/kernel/measures.js';

/** Reasons that get a label value of their own; what a vendor invents next counts as `other`. */
export const COUNTED_REASONS = [
  'abandoned-line', 'child-leg', 'comment-removed', 'delivery-receipt', 'group', 'honeypot', 'invalid', 'no-contact-data',
  'no-sender', 'channel-post', 'not-a-contact', 'open-call', 'read-receipt', 'recording',
  'reaction-removed', 'service-message', 'transcription', 'unmapped-event', 'unsupported', 'voice-request',
] as const; // prettier-ignore

const counted: ReadonlySet<string> = new Set(COUNTED_REASONS);

/** Counts what reaches the edge, on the default Prometheus registry. Labels come from bounded sets only. */
@Injectable()
export class DeliveryCounters {
  private readonly receivedTotal = counter('hilo_channel_received_total', 'Contacts read from deliveries', ['adapter']);
  private readonly ignoredTotal = counter('hilo_channel_ignored_total', 'Items that are no contacts', [
    'adapter',
    'reason',
  ]);
  private readonly unverifiedTotal = counter('hilo_channel_unverified_total', 'Deliveries of unproven senders', [
    'adapter',
  ]);
  private readonly parkedTotal = counter('hilo_channel_parked_total', 'Deliveries kept unread', ['adapter']);

  received(adapter: string, contacts: number): void {
    this.receivedTotal.inc({ adapter }, contacts);
  }

  /** `reason` counts up to its first colon: `unsupported:poll` is `unsupported`. */
  ignored(adapter: string, reason: string): void {
    const kind = reason.split(':', 1)[0]!;
    this.ignoredTotal.inc({ adapter, reason: counted.has(kind) ? kind : 'other' });
  }

  unverified(adapter: string): void {
    this.unverifiedTotal.inc({ adapter });
  }

  parked(adapter: string): void {
    this.parkedTotal.inc({ adapter });
  }
}
