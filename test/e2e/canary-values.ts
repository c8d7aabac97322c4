import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What nobody may find where it should be sealed: invented, and found nowhere by chance. */
export const CANARIES = [
  // The API: contacts, customer records.
  'zaunkoenig.isolde',
  '15557770131',
  'Isolde Zaunkönig',
  'KANARI-EXTERN-1',
  'KANARI-FADEN-1',
  'Der Zaunkönig fragt nach dem Nest',
  'Das Nest kam ohne Deckel',
  'Ausgang: Deckel nachgeschickt',
  'nestfoto-zaunkoenig.png',
  'kanari-attribut',
  'KANARI-CRM-9',
  '1977-07-07',
  'KANARI-CRM-10',
  'eule.allein',
  'Elsa Eule',
  'kanari-ereignis-1',
  // A file of contacts.
  'KANARI-AKTE-1',
  'specht.archiv',
  'Silke Specht',
  'Der Specht schrieb von Rinde',
  // Mail.
  'amsel.mail',
  'Amalia Amsel',
  'Mein Nest hat ein Loch',
  'kanari-anhang.pdf',
  'kanari-brief-1',
  'kanari-zitat',
  'rotkehlchen',
  // A form.
  'fink.formular',
  'Flora Fink',
  '15557770132',
  'kanari-eingang-1',
  'Der Fink will Körner',
  'kanari-feld',
  'kanari-seite',
  'kanari-beleg.txt',
  // Telegram.
  '7770001311',
  'kanari_grasmuecke',
  'Gerda Grasmücke',
  'Die Grasmücke sucht Beeren',
  '15557770133',
  'kanari-datei-1',
  // Messenger.
  '7770001322',
  'm_kanari-mid-1',
  'Der Dompfaff bestellt Kerne',
  'kanari-knopf',
  'kanari-bild',
  '7770001333',
  'Dora Dompfaff',
  'Der Dompfaff lobt öffentlich',
  // Calls.
  'CAkanarianruf1',
  '15557770134',
  'Stella Star',
  'CAkanarianruf2',
  'kanari-pruefvermerk',
  '1772442929.777131',
  '1772442930.777132',
  '15557770135',
  '15557770136',
  // Tracking.
  'kanari-nutzer-1',
  'kanari-keks-0001',
  'meise.maske',
  'Mona Meise',
  '15557770137',
  'Meisenweg 77',
  'kanari-sendung-1',
  'kanari-pfad',
  'kanari-typ',
  // What people write down.
  'Die Meise ruft morgen zurück',
  'Dem Fink Körner nachsenden',
  'kanari-erledigt',
  'kanari-einwilligung',
  'kanari-vorliebe',
  'kanari-grund',
  'kanari-widerruf',
  'kanari-schluessel',
  // What is refused.
  'kanari-falsch',
];

const ALIGNMENTS = [0, 1, 2];

/** The bytes that a canary may be written as besides plain text. */
const spellings = (canary: string): { texts: string[]; bytes: Buffer[] } => {
  const escaped = canary.replace(/[^ -~]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
  const quoted = encodeURIComponent(canary);
  // The first and last digits of base64 depend on what stands around it.
  const base64 = ALIGNMENTS.map((n) =>
    Buffer.from('\0'.repeat(n) + canary)
      .toString('base64')
      .slice(n === 0 ? 0 : 4, -4),
  );
  return {
    texts: [canary, escaped, quoted, quoted.replaceAll('%20', '+'), quoted.replaceAll('%', '=')].map((text) =>
      text.toLowerCase(),
    ),
    bytes: [Buffer.from(canary, 'latin1'), Buffer.from(canary, 'utf16le'), ...base64.map((text) => Buffer.from(text))],
  };
};

const SPELLINGS = new Map(CANARIES.map((canary) => [canary, spellings(canary)] as const));

/** Which canaries some bytes show, in any case: in UTF-8, Latin-1 or UTF-16, in base64, or escaped as in JSON, URLs and mail. */
export const canariesIn = (content: Buffer | string): string[] => {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const text = bytes.toString('utf8').toLowerCase();
  return [...SPELLINGS]
    .filter(
      ([, written]) =>
        written.texts.some((spelling) => text.includes(spelling)) ||
        written.bytes.some((spelling) => bytes.includes(spelling)),
    )
    .map(([canary]) => canary);
};

/** Canaries by file, in every file below a directory whose name is not one of those that may show them. */
export const canariesInFiles = (directory: string, mayShow?: RegExp): Record<string, string[]> =>
  Object.fromEntries(
    readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => !mayShow?.test(name) && statSync(join(directory, name)).isFile())
      .map((name) => [name, canariesIn(readFileSync(join(directory, name)))] as const)
      .filter(([, found]) => found.length > 0),
  );
