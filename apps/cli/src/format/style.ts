import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** Puts a text into a format; without colours, gives it back as it is. */
export type Paint = (format: Format, text: string) => string;

/** Colours for a terminal that has not asked for none (https://no-color.org). */
export const paintFor = (stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Paint =>
  stream.isTTY && !env.NO_COLOR && env.TERM !== 'dumb' ? (format, text) => styleText(format, text) : (_, text) => text;
