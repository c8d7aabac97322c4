import { toInstant, type AttributeValue, type CustomerIdentifier } from '#libs/kernel';
import { BRANCHES, PAGE, PRODUCTS, SITE, identifiersOn, type Person, type Product } from './casa-lumbre.js';
import type { DemoInteraction, Goods, Language, Phrasebook } from './demo.types.js';
import { ENGLISH } from './phrases.en.js';
import { SPANISH } from './phrases.es.js';
import { pick, type Random } from './random.js';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const PHRASES: Readonly<Record<Language, Phrasebook>> = { en: ENGLISH, es: SPANISH };

/** A contact and when the hub hears of it, which for a letter is days later. */
export interface Scheduled {
  heardMs: number;
  interaction: DemoInteraction;
}

/** Our name on a channel, in the branch that looks after a person. */
export const accountOn = (person: Person, channel: string): string => {
  const branch = BRANCHES[person.city];
  switch (channel) {
    case 'email':
      return branch.mailbox;
    case 'phone':
      return branch.line;
    case 'whatsapp':
      return branch.whatsapp;
    case 'social':
      return PAGE;
    case 'store':
      return branch.shop;
    case 'letter':
      return `${person.city.toLowerCase()}-office`;
    default:
      return SITE;
  }
};

export const productFor = (random: Random, goods: readonly Goods[] | undefined): Product =>
  pick(random, goods ? PRODUCTS.filter((product) => goods.includes(product.goods)) : PRODUCTS);

export interface Slots {
  person: Person;
  atMs: number;
  agent?: string;
  order?: string;
  product?: Product;
}

/** Fills the slots of a text and takes one of each choice. */
export const fill = (text: string, { person, atMs, agent, order, product }: Slots, random: Random): string => {
  const { language, city, given } = person;
  const named = product?.name[language] ?? '';
  const values: Record<string, string> = {
    given,
    city,
    order: order ?? '',
    product: named,
    the: product && language === 'es' ? `${product.article} ${named}` : `the ${named}`,
    agent: agent ? `${agent.charAt(0).toUpperCase()}${agent.slice(1, agent.indexOf('.'))}` : '',
  };
  const weekday = (days: number): string => {
    const local = new Date(atMs + BRANCHES[city].utcOffset * HOUR + days * DAY);
    return PHRASES[language].weekdays[local.getUTCDay()] ?? '';
  };
  return text
    .replaceAll(/<([^<>]+)>/g, (_, choices: string) => pick(random, choices.split('|')))
    .replaceAll(/\{day:(\d+)\}/g, (_, days: string) => weekday(Number(days)))
    .replaceAll(/\{(\w+)\}/g, (slot, name: string) => values[name] ?? slot);
};

/** By when we said that something would be done, at six in the evening of the day named; absent where nothing was promised. */
export const promiseIn = (text: string, person: Person, atMs: number): Record<string, AttributeValue> => {
  const days = /\{day:(\d+)\}/.exec(text)?.[1];
  if (days === undefined) return {};
  const offset = BRANCHES[person.city].utcOffset * HOUR;
  const midnight = Math.floor((atMs + offset) / DAY) * DAY;
  return { promised: true, promisedUntil: toInstant(midnight + Number(days) * DAY + 18 * HOUR - offset) };
};

/** A time at which the branch answers: this one, or the next morning. */
export const whenOpen = (person: Person, atMs: number): number => {
  const offset = BRANCHES[person.city].utcOffset * HOUR;
  const local = atMs + offset;
  const intoDay = local % DAY;
  if (intoDay < 9 * HOUR) return local - intoDay + 9 * HOUR + (intoDay % HOUR) - offset;
  if (intoDay > 20.5 * HOUR) return local - intoDay + DAY + 9 * HOUR + (intoDay % HOUR) - offset;
  return atMs;
};

export interface ContactFacts {
  id: string;
  channel: DemoInteraction['channel'];
  kind: DemoInteraction['kind'];
  direction: DemoInteraction['direction'];
  atMs: number;
  /** When the hub hears of it. @default atMs */
  heardMs?: number;
  threadId?: string;
  agent?: string;
  subject?: string;
  text?: string;
  outcome?: string;
  endedMs?: number;
  revision?: number;
  attributes?: Record<string, AttributeValue>;
  attachments?: DemoInteraction['attachments'];
  /** @default what the channel knows of the person */
  identifiers?: CustomerIdentifier[];
}

/** One contact with a person, as the channel would post it. */
export const contact = (person: Person, facts: ContactFacts): Scheduled => {
  const { id, channel, kind, direction, atMs, heardMs = atMs, endedMs, identifiers, attributes, ...rest } = facts;
  return {
    heardMs,
    interaction: {
      channel,
      account: accountOn(person, channel),
      externalId: id,
      kind,
      direction,
      occurredAt: toInstant(atMs),
      ...(endedMs !== undefined && { endedAt: toInstant(endedMs) }),
      customer: { identifiers: identifiers ?? identifiersOn(person, channel), name: person.name },
      language: person.language,
      ...rest,
      ...(attributes && Object.keys(attributes).length > 0 && { attributes }),
    },
  };
};
