/** A mail's plain text, told apart into what its author wrote and what the mail program added below. */
export interface SplitReply {
  /** What the author wrote; the whole text when nothing is certain to be quoted. */
  visible: string;
  /** The removed rest: attribution, quote, signature. */
  quoted?: string;
  /** The author wrote between or below the quoted lines, so nothing was cut there. */
  inlineReply?: true;
}

// Every test below looks at no more than four joined lines of at most this many characters, with expressions that
// cannot backtrack over each other: linear in the length of the mail.
const longestLine = 300;
const longestAttribution = 500;

const wroteVerb =
  /(?:^|[\s>*)"”])(?:wrote|a écrit|écrit|schrieb|escribió|ha scritto|scritto|escreveu|schreef|skrev|kirjoitti|pisze|napisała?|napisał\(a\)|napsala?|пишет|написала?|пише|писал|yazdı|đã viết|írta)(?:[\s:<*"“]|$)|写道|寫道|作成|のメッセージ|작성|さんは書きました/iu;
const opensWithDate =
  /^[>\s*-]{0,8}(?:(?:On|Le|El|Il|Em|Am|Op|Den|Dne|Vào|På|Lúc|W dniu|Dnia)\s|(?:At|Pe|Dana|am|em|den|ma|ti|ke|to|pe|la|su|man|tis|ons|tor|fre|lör|sön)\.?\s\d|\d{1,4}[-./年]|\d{1,2}\s|在|於)/u;
const opensWithNumericDate = /^[>\s*-]{0,8}\d{1,4}[-./]\d{1,2}[-./]\d{1,4}\s/;
const hasAddress = /[<[(]\s?[^\s<>[\]()]{1,64}@[^\s<>[\]()]{1,253}[>\])]/;
const endsAttribution = /(?:[::]|wrote\s?-{2,8})\s{0,8}\*?\s{0,8}$/;

const isAttribution = (text: string): boolean => {
  if (text.length > longestAttribution || !endsAttribution.test(text)) return false;
  if (opensWithNumericDate.test(text) && hasAddress.test(text)) return true;
  if (!wroteVerb.test(text)) return false;
  const dated = /\d/.test(text) && opensWithDate.test(text);
  return (
    dated ||
    (hasAddress.test(text) && /\d/.test(text)) ||
    /^[>\s]{0,4}(?:.{1,80}\s)?<[^<>\s]{1,320}>\s(?:schrieb|wrote|skrev)/.test(text)
  );
};

const originalRuler =
  /^[>\s]{0,4}[-_*]{2,40}\s{0,4}(?:Original(?:\s(?:Message|Email|Appointment))|Ursprüngliche Nachricht|Originalnachricht|Message d['’]origine|Message original|Mensaje original|Mensagem original|Messaggio originale|Oorspronkelijk bericht|Původní zpráva|Wiadomość oryginalna|Oryginalna wiadomość|Original meddelelse|Opprinnelig melding|Ursprungligt meddelande|Alkuperäinen viesti|Исходное сообщение|Пересылаемое сообщение|元のメッセージ|原始邮件|Reply message|Reply above this line)\s{0,4}[-_*]{2,40}\s{0,4}$/iu;
const forwardRuler =
  /^[>\s]{0,4}[-_*]{2,40}\s{0,4}(?:Forwarded message|Weitergeleitete Nachricht|Message transféré|Mensaje reenviado|Messaggio inoltrato|Doorgestuurd bericht|Mensagem encaminhada|Forwarded by .{1,100})\s{0,4}[-_*]{2,40}\s{0,4}$|^Begin forwarded message:\s{0,4}$/iu;
const headerLabel =
  /^[>\s*]{0,6}(?:(From|Von|De|Van|Da|Od|Från|Fra|Lähettäjä|От|Від|发件人|寄件者|差出人|보낸 사람|Kimden|Mittente|Expéditeur|Feladó)|Sent|Date|To|Cc|Subject|Gesendet|Datum|An|Betreff|Envoyé|Objet|À|A|Enviado(?: el)?|Para|Asunto|Assunto|Inviato|Data|Oggetto|Verzonden|Aan|Onderwerp|Skickat|Till|Ämne|Sendt|Til|Emne|Lähetetty|Vastaanottaja|Aihe|Wysłano|Do|Temat|Odesláno|Komu|Předmět|Отправлено|Дата|Кому|Тема|发送时间|收件人|主题|日期|送信日時|宛先|件名|Reply-To)\s{0,2}\*?\s{0,2}[::]/iu;
const underscores = /^[>\s]{0,4}[_-]{20,80}\s{0,4}$/;
const signatureLine = /^--\s?$/;
const sentFrom =
  /^\s{0,4}(?:Sent (?:from|via|with) (?:my |a |the )?(?:iP(?:hone|ad)|Android|Samsung|BlackBerry|Windows|Mail for|Outlook|Yahoo|Proton|mobile|phone|tablet|Galaxy|Verizon|Nokia|HTC|Huawei|Gmail).{0,120}|Get Outlook for .{1,60}|Von meinem .{1,60} gesendet|Gesendet (?:von|mit) .{1,80}|Envoyé (?:depuis|de) mon .{1,60}|Enviado desde mi .{1,60}|Enviado do meu .{1,60}|Inviato da(?:l mio)? .{1,60}|Verstuurd vanaf mijn .{1,60}|Skickat från min .{1,60}|Sendt fra min .{1,60}|Отправлено с .{1,60}|Obter o Outlook .{1,60}|Télécharger Outlook .{1,60})\s{0,4}$/iu;

const isQuoted = (line: string): boolean => /^\s{0,3}>/.test(line);
const isBlank = (line: string): boolean => line.trim() === '';

/** A line of `From:` and at least one more header label near it, as Outlook puts above a quoted mail. */
const isHeaderBlock = (lines: readonly string[], at: number): boolean => {
  if (headerLabel.exec(lines[at]!)?.[1] === undefined) return false;
  let labels = 0;
  for (let i = at + 1; i < lines.length && i <= at + 6 && labels < 2; i++) if (headerLabel.test(lines[i]!)) labels++;
  return labels >= 2 || (labels === 1 && hasAddress.test(lines[at]!));
};

const attributionLength = (lines: readonly string[], at: number): number => {
  const first = lines[at]!;
  if (isBlank(first) || !(opensWithDate.test(first) || hasAddress.test(first) || wroteVerb.test(first))) return 0;
  let joined = '';
  for (let count = 1; count <= 4 && at + count <= lines.length; count++) {
    const line = lines[at + count - 1]!;
    if (isBlank(line)) return 0;
    joined = `${joined} ${line.replace(/^[>\s]{1,8}/, '')}`.trim();
    if (isAttribution(joined)) return count;
  }
  return 0;
};

/** Index of the first line after a run of quoted and blank lines. */
const endOfQuote = (lines: readonly string[], from: number): number => {
  let i = from;
  while (i < lines.length && (isQuoted(lines[i]!) || isBlank(lines[i]!))) i++;
  return i;
};

/** Splits at the first marker that ends a reply: attribution, header block, ruler, trailing quote, signature. */
export const splitReply = (text: string): SplitReply => {
  const full = text.split('\n');
  const lines = full.map((line) => line.slice(0, longestLine).trimEnd());
  let inlineReply = false;
  let cut = -1;
  for (let i = 0; i < lines.length && cut < 0;) {
    const line = lines[i]!;
    if (forwardRuler.test(line)) break;
    const attribution = isQuoted(line) ? 0 : attributionLength(lines, i);
    const quoteFrom = attribution > 0 ? i + attribution : isQuoted(line) ? i : -1;
    if (quoteFrom >= 0) {
      const end = endOfQuote(lines, quoteFrom);
      const sawQuote = lines.slice(quoteFrom, end).some(isQuoted);
      if (!sawQuote || end >= lines.length || onlyTail(lines, end)) cut = i;
      // What stands below a quote is the answer (or one between the lines): both stay.
      else [inlineReply, i] = [true, Math.max(end, i + 1)];
    } else if (originalRuler.test(line) || isHeaderBlock(lines, i)) cut = i;
    else if (underscores.test(line) && [i + 1, i + 2].some((at) => at < lines.length && isHeaderBlock(lines, at)))
      cut = i;
    else if (signatureLine.test(line) || sentFrom.test(line)) cut = i;
    else i++;
  }
  const flag = inlineReply ? ({ inlineReply: true } as const) : {};
  const visible = cut < 0 ? '' : full.slice(0, cut).join('\n').trimEnd();
  // A cut that leaves nothing was no reply: the mail keeps all of it.
  if (cut < 0 || visible.trim() === '') return { visible: text, ...flag };
  return { visible, quoted: full.slice(cut).join('\n').trim(), ...flag };
};

/** Whether nothing but a signature or a further quote follows, so that the quote above ends the reply. */
const onlyTail = (lines: readonly string[], from: number): boolean => {
  const next = lines[from]!;
  return signatureLine.test(next) || sentFrom.test(next) || originalRuler.test(next);
};
