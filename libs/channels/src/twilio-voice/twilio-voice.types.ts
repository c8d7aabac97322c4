/** Parameters of a voice status callback, as far as they are read. Twilio adds parameters without notice. */
export interface TwilioVoiceParameters {
  CallSid: string;
  ParentCallSid?: string;
  /** queued, initiated, ringing, in-progress, completed, busy, failed, no-answer, canceled */
  CallStatus: string;
  /** `inbound`, `outbound-api`, `outbound-dial` */
  Direction: string;
  From: string;
  To: string;
  CallerName?: string;
  /** RFC 2822, UTC. */
  Timestamp?: string;
  /** From 0. */
  SequenceNumber?: string;
  /** Seconds; `Duration` is billed minutes. */
  CallDuration?: string;
  SipResponseCode?: string;
  StirVerstat?: string;
  RecordingSid?: string;
  TranscriptionSid?: string;
}
