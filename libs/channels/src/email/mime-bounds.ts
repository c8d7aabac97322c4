import { HubError } from '#libs/kernel';
import { MIME_BOUNDS } from './email.config.js';

const tooComplex = (what: string, limit: number): HubError =>
  new HubError('CHANNEL.TOO_COMPLEX', `the mail has more than ${limit} ${what}`, { facts: { what, limit } });

/**
 * Refuses mails whose structure costs more to parse than any honest mail: one pass over the lines, before a parser sees
 * them. Understands boundaries as loosely as parsers do, so it counts no less than they will.
 * @throws HubError `CHANNEL.TOO_COMPLEX`
 */
export const assertMimeBounds = (raw: Buffer): void => {
  const open: string[] = [];
  let [inHeader, headerBytes, parts, header] = [true, 0, 0, ''];
  const endHeader = (): void => {
    inHeader = false;
    const boundary = /boundary\s{0,8}=\s{0,8}(?:"([^"\r\n]{1,250})"|([^\s;"]{1,250}))/i.exec(header);
    header = '';
    if (!boundary) return;
    open.push(`--${boundary[1] ?? boundary[2]}`);
    if (open.length > MIME_BOUNDS.depth) throw tooComplex('levels of nesting', MIME_BOUNDS.depth);
  };
  for (let start = 0; start < raw.length;) {
    const newline = raw.indexOf(0x0a, start);
    const end = newline < 0 ? raw.length : newline;
    if (inHeader) {
      headerBytes += end - start + 1;
      if (headerBytes > MIME_BOUNDS.headerBytes) throw tooComplex('bytes of headers', MIME_BOUNDS.headerBytes);
      const blank = end === start || (end === start + 1 && raw[start] === 0x0d);
      if (blank) endHeader();
      else if (header.length < 64 * 1024) header += `${raw.toString('latin1', start, Math.min(end, start + 1000))}\n`;
    } else if (open.length > 0 && raw[start] === 0x2d && raw[start + 1] === 0x2d) {
      const line = raw.toString('latin1', start, Math.min(end, start + 300)).trimEnd();
      // The longest open boundary wins: one may be a prefix of another.
      const level = open.findLastIndex((boundary) => line === boundary || line === `${boundary}--`);
      if (level >= 0) {
        const closes = line === `${open[level]}--`;
        open.length = closes ? level : level + 1;
        if (!closes) {
          [inHeader, headerBytes] = [true, 0];
          if (++parts > MIME_BOUNDS.parts) throw tooComplex('parts', MIME_BOUNDS.parts);
        }
      }
    }
    start = end + 1;
  }
};
