import { ChannelAdapter, type DeliveryAnswer, type ParsedDelivery, type RawDelivery } from '../channel-adapter.port.js';
import { settingsOf } from '../shared/settings-of.js';
import { SEGMENT_LIMITS, SegmentSettings } from './segment.config.js';
import { parseSegment } from './segment.parse.js';
import { verifyWriteKey } from './segment.verify.js';

/** Tracking calls in Segment's format. */
export class SegmentAdapter extends ChannelAdapter {
  readonly name = 'segment';
  readonly channel = 'web';
  readonly transport = 'tracking';
  readonly settings = SegmentSettings;
  override readonly maxBodyBytes = SEGMENT_LIMITS.batchBytes;
  override readonly tooLargeStatus = 400;

  verify(delivery: RawDelivery): void {
    verifyWriteKey(delivery);
  }

  parse(delivery: RawDelivery): ParsedDelivery {
    return parseSegment(delivery, settingsOf(SegmentSettings, delivery.account));
  }

  override answer(delivery: RawDelivery): DeliveryAnswer {
    return {
      status: 200,
      headers: {
        'content-type': 'application/json',
        ...corsOf(settingsOf(SegmentSettings, delivery.account).allowedOrigins, delivery.headers.origin),
      },
      body: '{"success":true}',
    };
  }
}

/** The headers that let a page of an allowed origin read the answer. */
export const corsOf = (allowedOrigins: readonly string[], origin: string | undefined): Record<string, string> => {
  if (allowedOrigins.includes('*')) return { 'access-control-allow-origin': '*' };
  const allowed = allowedOrigins.find((one) => one.toLowerCase() === origin?.toLowerCase());
  return { vary: 'origin', ...(allowed === undefined ? {} : { 'access-control-allow-origin': allowed }) };
};
