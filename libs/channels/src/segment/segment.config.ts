import { ArrayMaxSize, IsArray, IsObject, IsOptional, Matches } from '#libs/kernel/late-validator.js';
import type { InteractionKind } from '#libs/kernel';

/** Track events that are contacts unless an account says otherwise, by lower-case name. */
export const DEFAULT_CONTACT_EVENTS: Readonly<Record<string, InteractionKind>> = {
  'contact form submitted': 'message',
  'form submitted': 'message',
  'live chat conversation started': 'message',
  'live chat message received': 'message',
  'live chat message sent': 'message',
  'support ticket created': 'case',
  'order completed': 'order',
  'order updated': 'order',
  'order refunded': 'order',
  'order cancelled': 'order',
  'product reviewed': 'feedback',
  'review submitted': 'feedback',
  'signed up': 'status',
};

/** Settings of a tracking source; its secrets are write keys, which browsers show to everybody. */
export class SegmentSettings {
  /** Sites whose pages may call, such as `https://www.example.com`, or `*`; at most 100. @default ['*'] */
  @IsArray()
  @ArrayMaxSize(100)
  @Matches(/^(?:\*|https?:\/\/[^\s/]+)$/, {
    each: true,
    message: 'must be origins such as https://www.example.com, or *',
  })
  allowedOrigins: string[] = ['*'];

  /** Further track events that are contacts: event name to kind; `ignore` drops one of the usual ones. Case does not matter. */
  @IsOptional()
  @IsObject()
  events?: Record<string, InteractionKind | 'ignore'>;
}

/** Bytes of one event and of one batch, as the API states them; above them the answer is 400. */
export const SEGMENT_LIMITS = { eventBytes: 32 * 1024, batchBytes: 500 * 1024 } as const;
