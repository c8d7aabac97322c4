/** https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/, as far as it is read. */
export interface SegmentEvent {
  type: 'track' | 'identify' | 'page' | 'screen' | 'group' | 'alias';
  userId?: string;
  anonymousId?: string;
  previousId?: string;
  groupId?: string;
  event?: string;
  name?: string;
  category?: string;
  properties?: Record<string, unknown>;
  traits?: SegmentTraits;
  context?: SegmentContext;
  messageId?: string;
  /** ISO 8601, by the sender's clock. */
  timestamp?: string;
  originalTimestamp?: string;
  sentAt?: string;
  writeKey?: string;
}

export interface SegmentTraits {
  email?: string;
  phone?: string;
  name?: string;
  firstName?: string;
  lastName?: string;
}

export interface SegmentContext {
  locale?: string;
  page?: { url?: string; path?: string; title?: string; referrer?: string };
  campaign?: Record<string, unknown>;
}

export interface SegmentBatch {
  batch: SegmentEvent[];
  context?: SegmentContext;
  sentAt?: string;
  writeKey?: string;
}
