import { SEALED_FORMAT, sealAsText } from './cipher.js';

/** A text to seal. */
export interface SealJob {
  /** 32 bytes. */
  secret: Buffer;
  /** Version of the key that these are, 1 to 65535. */
  version: number;
  /** What the text belongs to. */
  bound: string;
  text: string;
}

/** Seals texts, in their order; each is base64 of format (1 byte), version of the key (2), IV (12), tag (16) and content. */
export type SealTexts = (jobs: readonly SealJob[]) => Promise<string[]> | string[];

export const sealText = ({ secret, version, bound, text }: SealJob): string =>
  sealAsText(secret, bound, text, Buffer.from([SEALED_FORMAT, version >> 8, version & 0xff]));

export const sealHere: SealTexts = (jobs) => jobs.map(sealText);
