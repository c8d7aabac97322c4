import { IsOptional, Length } from '#libs/kernel/late-validator.js';

/** Settings of a Messenger account; its secrets are app secrets. */
export class MessengerSettings {
  /** Text typed into the app's webhook form, 8 to 256 characters. Unset: subscription handshakes are refused. */
  @IsOptional()
  @Length(8, 256)
  verifyToken?: string;
}
