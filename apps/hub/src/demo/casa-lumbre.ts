import type { CustomerIdentifier } from '#libs/kernel';
import type { Goods, Language } from './demo.types.js';

/** Casa Lumbre, an invented chain that roasts coffee and sells things for the house in Madrid, Lima and Austin. */
export type City = 'Madrid' | 'Lima' | 'Austin';

interface Branch {
  language: Language;
  shop: string;
  mailbox: string;
  line: string;
  whatsapp: string;
  agents: readonly string[];
  /** Hours from UTC, without summer time. */
  utcOffset: number;
}

export const BRANCHES: Readonly<Record<City, Branch>> = {
  Madrid: {
    language: 'es',
    shop: 'madrid-malasana',
    mailbox: 'hola@casalumbre.example',
    line: '+34910000100',
    whatsapp: '+34600000100',
    agents: ['marta.gil', 'diego.paredes', 'nuria.soler'],
    utcOffset: 1,
  },
  Lima: {
    language: 'es',
    shop: 'lima-barranco',
    mailbox: 'hola@casalumbre.example',
    line: '+5110000100',
    whatsapp: '+51900000100',
    agents: ['rosa.huaman', 'diego.paredes'],
    utcOffset: -5,
  },
  Austin: {
    language: 'en',
    shop: 'austin-south-congress',
    mailbox: 'hello@casalumbre.example',
    line: '+15125550140',
    whatsapp: '+15125550141',
    agents: ['emily.carter', 'sam.okafor'],
    utcOffset: -6,
  },
};

export const SITE = 'casalumbre.example';
export const PAGE = 'instagram:casalumbre';

export interface Product {
  sku: string;
  goods: Goods;
  /** In Spanish. */
  article: 'el' | 'la';
  name: Readonly<Record<Language, string>>;
  /** In whole euros, soles or dollars; the demo does not convert. */
  price: number;
}

export const PRODUCTS: readonly Product[] = [
  {
    sku: 'CAF-BRASA-1K',
    goods: 'coffee',
    article: 'el',
    name: { es: 'café Brasa de la casa, 1 kg', en: 'Brasa house blend, 2 lb' },
    price: 27,
  },
  {
    sku: 'CAF-ESTR-250',
    goods: 'coffee',
    article: 'el',
    name: { es: 'café Finca La Estrella, 250 g', en: 'Finca La Estrella coffee, 9 oz' },
    price: 12,
  },
  {
    sku: 'CAF-CENIZA-250',
    goods: 'coffee',
    article: 'el',
    name: { es: 'descafeinado Ceniza, 250 g', en: 'Ceniza decaf, 9 oz' },
    price: 11,
  },
  {
    sku: 'MOKA-6',
    goods: 'device',
    article: 'la',
    name: { es: 'cafetera italiana de 6 tazas', en: 'six-cup moka pot' },
    price: 39,
  },
  {
    sku: 'MOLINO-M',
    goods: 'device',
    article: 'el',
    name: { es: 'molinillo de mano Molino', en: 'Molino hand grinder' },
    price: 84,
  },
  {
    sku: 'DRIP-CER',
    goods: 'home',
    article: 'el',
    name: { es: 'gotero de cerámica', en: 'ceramic pour-over dripper' },
    price: 26,
  },
  {
    sku: 'TAZ-BARRO-2',
    goods: 'home',
    article: 'el',
    name: { es: 'juego de dos tazas de barro', en: 'pair of clay mugs' },
    price: 32,
  },
  {
    sku: 'MANTA-PAR',
    goods: 'home',
    article: 'la',
    name: { es: 'manta de lana Páramo', en: 'Páramo wool throw' },
    price: 96,
  },
  {
    sku: 'VELA-NOCHE',
    goods: 'home',
    article: 'la',
    name: { es: 'vela de cera de abeja Noche', en: 'Noche beeswax candle' },
    price: 18,
  },
  {
    sku: 'TABLA-ROBLE',
    goods: 'home',
    article: 'la',
    name: { es: 'tabla de roble', en: 'oak serving board' },
    price: 45,
  },
  { sku: 'DEL-LINO', goods: 'home', article: 'el', name: { es: 'delantal de lino', en: 'linen apron' }, price: 38 },
  {
    sku: 'LAMP-MIMBRE',
    goods: 'device',
    article: 'la',
    name: { es: 'lámpara de mimbre', en: 'wicker lamp' },
    price: 120,
  },
];

export interface Person {
  name: string;
  given: string;
  family: string;
  city: City;
  language: Language;
  email?: string;
  phone?: string;
  /** Shared with whoever else lives there. */
  landline?: string;
  /** Of the web shop. */
  account?: string;
  loyalty?: string;
  social?: string;
  handle?: string;
  cookie?: string;
  postal?: string;
  birthDate?: string;
  /** How they get in touch, besides ordering and visiting. */
  uses: readonly ('email' | 'phone' | 'chat' | 'whatsapp' | 'social' | 'web' | 'letter')[];
}

type Row = readonly [
  given: string,
  family: string,
  city: City,
  mailbox: string | undefined,
  uses: Person['uses'],
  has: string,
];

// The last column: p mobile phone, a account of the web shop, l loyalty card, s Instagram, h the household's landline.
const ROWS: readonly Row[] = [
  [
    'Lucía',
    'Ferrer Ortega',
    'Madrid',
    'lucia.ferrer@correo.example',
    ['email', 'phone', 'whatsapp', 'chat', 'social', 'letter'],
    'palsh',
  ],
  ['Tomás', 'Ortega Vidal', 'Madrid', 'tomas.ov@correo.example', ['phone', 'email'], 'plh'],
  ['Irene', 'Salgado Pons', 'Madrid', 'irene.salgado@buzon.example', ['email', 'social', 'chat'], 'pals'],
  ['Javier', 'Montes Rueda', 'Madrid', 'jmontes@estudiomontes.example', ['email', 'phone'], 'pal'],
  ['Carmen', 'Uribe Lasa', 'Madrid', undefined, ['phone', 'letter'], 'pl'],
  ['Hugo', 'Barrientos Cano', 'Madrid', 'hugo.bc@buzon.example', ['whatsapp', 'social'], 'pas'],
  ['Noelia', 'Quintana Rey', 'Madrid', 'noelia.q@correo.example', ['chat', 'whatsapp', 'email'], 'pal'],
  ['Andrés', 'Pizarro Gil', 'Madrid', 'a.pizarro@tallerpizarro.example', ['phone', 'email', 'web'], 'pa'],
  ['Beatriz', 'Lozano Mir', 'Madrid', 'bea.lozano@buzon.example', ['social', 'whatsapp'], 'pls'],
  ['Samuel', 'Ibarra Conde', 'Madrid', 'samuel.ibarra@correo.example', ['email', 'web'], 'al'],
  ['Pilar', 'Nogales Soto', 'Madrid', 'pilar.nogales@correo.example', ['phone', 'email', 'letter'], 'pl'],
  ['Rocío', 'Huamán Tello', 'Lima', 'rocio.huaman@buzon.example', ['whatsapp', 'social', 'email'], 'pals'],
  ['Martín', 'Quispe Rojas', 'Lima', 'martin.quispe@correo.example', ['whatsapp', 'phone'], 'pal'],
  ['Valeria', 'Chumpitaz León', 'Lima', 'vale.chumpitaz@buzon.example', ['social', 'chat', 'whatsapp'], 'pas'],
  ['Óscar', 'Palomino Díaz', 'Lima', 'opalomino@cafepalomino.example', ['email', 'phone', 'whatsapp'], 'pal'],
  ['Ximena', 'Arce Villar', 'Lima', 'ximena.arce@correo.example', ['chat', 'email'], 'pal'],
  ['Jorge', 'Cárdenas Paz', 'Lima', 'jorge.cardenas@buzon.example', ['phone', 'web'], 'pl'],
  ['Milagros', 'Tello Inga', 'Lima', 'mili.tello@correo.example', ['whatsapp'], 'pl'],
  ['Renzo', 'Salinas Mori', 'Lima', 'renzo.salinas@correo.example', ['social', 'email'], 'as'],
  ['Adriana', 'Bellido Ríos', 'Lima', 'adriana.bellido@buzon.example', ['email', 'whatsapp', 'phone'], 'pal'],
  ['Grace', 'Whitfield', 'Austin', 'grace.whitfield@mail.example', ['email', 'phone', 'chat'], 'pal'],
  ['Marcus', 'Delgado', 'Austin', 'marcus.delgado@mail.example', ['whatsapp', 'social', 'phone'], 'pals'],
  ['Hannah', 'Kowalski', 'Austin', 'hannah.k@inbox.example', ['chat', 'email'], 'pa'],
  ['Theo', 'Lindqvist', 'Austin', 'theo@lindqvistcoffee.example', ['email', 'phone'], 'pal'],
  ['Priya', 'Raman', 'Austin', 'priya.raman@mail.example', ['chat', 'social', 'email'], 'pals'],
  ['Walter', 'Boone', 'Austin', undefined, ['phone', 'letter'], 'pl'],
  ['Naomi', 'Castellanos', 'Austin', 'naomi.castellanos@inbox.example', ['email', 'web', 'phone'], 'pal'],
  ['Dylan', 'Prescott', 'Austin', 'dprescott@mail.example', ['social', 'chat'], 'as'],
  ['Ruth', 'Okonkwo', 'Austin', 'ruth.okonkwo@inbox.example', ['phone', 'email', 'letter'], 'pal'],
  ['Eli', 'Navarro', 'Austin', 'eli.navarro@mail.example', ['whatsapp', 'chat', 'web'], 'pa'],
];

const MOBILE: Readonly<Record<City, string>> = { Madrid: '+346000001', Lima: '+519000001', Austin: '+151255501' };
const STREET: Readonly<Record<City, [string, string]>> = {
  Madrid: ['Calle del Candil', '28000 Madrid'],
  Lima: ['Jirón de las Brasas', '15000 Lima'],
  Austin: ['Kindling Lane', 'Austin TX 78700'],
};
const LANDLINE = '+34910000177';

/** The customers of the demo; nobody and no number of them exists. */
export const PEOPLE: readonly Person[] = ROWS.map(([given, family, city, email, uses, has], i) => {
  const number = String(i + 1).padStart(2, '0');
  const [street, town] = STREET[city];
  const handle = `${given}.${family.split(' ')[0]}`
    .normalize('NFD')
    .replaceAll(/[^A-Za-z.]/g, '')
    .toLowerCase();
  return {
    name: `${given} ${family}`,
    given,
    family,
    city,
    language: BRANCHES[city].language,
    uses,
    postal: `${street} ${10 + i}, ${town}`,
    birthDate: `${1952 + ((i * 7) % 48)}-${String(1 + ((i * 5) % 12)).padStart(2, '0')}-${String(1 + ((i * 11) % 28)).padStart(2, '0')}`,
    ...(email !== undefined && { email }),
    ...(has.includes('p') && { phone: `${MOBILE[city]}${number}` }),
    ...(has.includes('h') && { landline: LANDLINE }),
    ...(has.includes('a') && { account: `CL-10${number}`, cookie: `clv-7f3e${number}a1` }),
    ...(has.includes('l') && { loyalty: `LUM-7000${number}` }),
    ...(has.includes('s') && { social: `instagram:1784140000${number}`, handle: `@${handle}` }),
  };
});

const known = (type: string, value: string | undefined, verified = false): CustomerIdentifier[] =>
  value === undefined ? [] : [{ type, value, ...(verified && { verified }) }];

/** What a channel knows of a person who gets in touch through it. */
export const identifiersOn = (person: Person, channel: string): CustomerIdentifier[] => {
  switch (channel) {
    case 'email':
      return known('email', person.email);
    case 'phone':
      return known('phone', person.phone ?? person.landline);
    case 'whatsapp':
      return known('phone', person.phone, true);
    case 'social':
      return [...known('social', person.social, true), ...known('handle', person.handle)];
    case 'chat':
      return [...known('cookie', person.cookie), ...known('account', person.account, true)];
    case 'web':
      return [...known('email', person.email), ...known('cookie', person.cookie)];
    case 'commerce':
      return [
        ...known('account', person.account, true),
        ...known('email', person.email),
        ...known('phone', person.phone),
        ...known('loyalty', person.loyalty),
      ];
    case 'store':
      return known('loyalty', person.loyalty);
    default:
      return [...known('postal', person.postal), ...known('loyalty', person.loyalty)];
  }
};
