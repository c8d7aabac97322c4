import { IsInt, IsNumber, IsOptional, Length, Max, Min } from '#libs/kernel/late-validator.js';

/** Settings of a queue log. */
export class QueueLogSettings {
  /** Path of the log as Asterisk writes it; followed across rotation by rename. Unset: the account is for imports only. */
  @IsOptional()
  @Length(1, 4096)
  file?: string;

  /** Milliseconds between two looks at the file, 50 to 60000. @default 1000 */
  @IsInt()
  @Min(50)
  @Max(60_000)
  pollMs = 1000;

  /** Hours after which a call without an end counts as over, outcome `unknown`; 1 to 168. @default 24 */
  @IsNumber()
  @Min(1)
  @Max(168)
  maxOpenHours = 24;
}
