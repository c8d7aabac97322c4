/** What wrote a mail, where it was no person. */
export type MachineMail = 'auto-reply' | 'bulk' | 'bounce' | 'receipt' | 'complaint';

export interface MailHeaders {
  /** First value of a header, unfolded; the name in lower case. */
  get(name: string): string | undefined;
}

const daemon = /^(?:mailer-daemon|postmaster|mail-daemon|mdaemon)(?:@|$)/i;

/** Fields of a delivery report, as far as they say what became of which mail. */
export interface DeliveryReport {
  action?: string;
  status?: string;
  recipients: string[];
  /** Message-ID of the mail that the report is about. */
  originalId?: string;
}

/**
 * Whether a machine wrote the mail, by RFC 3834, 3464, 8098, 5965 and what older systems do. `nullSender`: the
 * envelope's return path was empty. Undefined: a person, as far as can be told.
 */
export const classifyMail = (
  headers: MailHeaders,
  from: string | undefined,
  nullSender: boolean,
  report: DeliveryReport,
): MachineMail | undefined => {
  const isFailure = report.action === undefined || report.action === 'failed';
  const type = headers.get('content-type')?.toLowerCase() ?? '';
  if (type.startsWith('multipart/report')) {
    if (type.includes('disposition-notification')) return 'receipt';
    if (type.includes('feedback-report')) return 'complaint';
    // `delayed`, `delivered`, `relayed`: the mail is under way or there.
    if (type.includes('delivery-status')) return isFailure ? 'bounce' : 'receipt';
  }
  const auto = headers.get('auto-submitted')?.split(';', 1)[0]?.trim().toLowerCase();
  const precedence = headers.get('precedence')?.trim().toLowerCase();
  const emptyPath = nullSender || headers.get('return-path')?.trim() === '<>';
  if (headers.get('x-failed-recipients') !== undefined || daemon.test(from ?? ''))
    return isFailure ? 'bounce' : 'receipt';
  if ((auto !== undefined && auto !== 'no') || precedence === 'auto_reply') return 'auto-reply';
  // X-Auto-Response-Suppress alone only asks for silence: many ordinary Exchange mails carry it.
  if (['x-autoreply', 'x-autorespond', 'x-auto-reply'].some((name) => headers.get(name) !== undefined))
    return 'auto-reply';
  if (['bulk', 'junk', 'list'].includes(precedence ?? ''))
    return emptyPath && precedence === 'junk' ? 'auto-reply' : 'bulk';
  if (['list-id', 'list-unsubscribe', 'feedback-id'].some((name) => headers.get(name) !== undefined)) return 'bulk';
  if (emptyPath) return from === undefined ? 'bounce' : 'auto-reply';
  return undefined;
};

const reportLine =
  /^(Final-Recipient|Original-Recipient|Original-Rcpt-To|X-Failed-Recipients|Action|Status|Message-ID)[ \t]{0,4}:[ \t]{0,8}([^\r\n]{0,998})/gim;
// Systems without machine-readable reports (qmail, Exim) put the address on a line of its own, or before a colon.
const addressAlone = /^[ \t]{0,8}<?([^\s<>@:;,]{1,64}@[A-Za-z0-9.-]{1,253})>?(?::|[ \t]{0,8}\r?$)/m;
const longestScan = 512 * 1024;

/** Reads the report fields out of the body of a mail; empty for a mail that is no report. */
export const readReport = (raw: Buffer): DeliveryReport => {
  const text = raw.toString('latin1', 0, Math.min(raw.length, longestScan));
  const headerEnd = /\r?\n\r?\n/.exec(text)?.index ?? text.length;
  const report: DeliveryReport = { recipients: [] };
  const recipients = new Set<string>();
  for (const match of text.matchAll(reportLine)) {
    const [, name, value] = match;
    const field = name!.toLowerCase();
    // The report's own header has an id and perhaps a status too; of what failed it says one thing only.
    if (match.index < headerEnd && field !== 'x-failed-recipients') continue;
    switch (field) {
      case 'action':
        report.action ??= /^[a-z-]{1,20}/i.exec(value!)?.[0].toLowerCase();
        break;
      case 'status':
        report.status ??= /^\d\.\d{1,3}\.\d{1,3}/.exec(value!)?.[0];
        break;
      case 'message-id':
        report.originalId ??= /<[^<>\s]{1,900}>/.exec(value!)?.[0];
        break;
      default: {
        const address = /[^\s;<>,]{1,64}@[^\s;<>,]{1,253}/.exec(value!)?.[0];
        if (address !== undefined && recipients.size < 50) recipients.add(address);
      }
    }
  }
  const alone = recipients.size === 0 ? addressAlone.exec(text.slice(headerEnd, headerEnd + 8192))?.[1] : undefined;
  report.recipients = alone === undefined ? [...recipients] : [alone];
  return report;
};
