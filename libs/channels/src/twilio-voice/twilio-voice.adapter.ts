import { ChannelAdapter, type DeliveryAnswer, type ParsedDelivery, type RawDelivery } from '../channel-adapter.port.js';
import { parseTwilioVoice } from './twilio-voice.parse.js';
import { verifyTwilio } from './twilio-voice.verify.js';

/** Status callbacks of Twilio Voice. */
export class TwilioVoiceAdapter extends ChannelAdapter {
  readonly name = 'twilio-voice';
  readonly channel = 'phone';
  readonly transport = 'webhook';

  verify(delivery: RawDelivery): void {
    verifyTwilio(delivery);
  }

  parse(delivery: RawDelivery): ParsedDelivery {
    return parseTwilioVoice(delivery);
  }

  // An empty TwiML document is right for every kind of callback; other bodies are reported as errors by Twilio.
  override answer(): DeliveryAnswer {
    return { status: 200, headers: { 'content-type': 'text/xml; charset=utf-8' }, body: '<Response/>' };
  }
}
