// oxlint-disable-next-line typescript/no-extraneous-class -- the class is the declaration that nothing may be set
/** A Twilio voice account has no settings: its secrets are the auth tokens of the account that owns the number. */
export class TwilioVoiceSettings {}
