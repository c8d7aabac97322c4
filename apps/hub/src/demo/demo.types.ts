import type { InboundInteraction, InboundProfile } from '#libs/kernel';

/** One item of a `POST /v1/interactions` body. */
export type DemoInteraction = Omit<InboundInteraction, 'tenant' | 'receivedAt'>;

/** One item of a `POST /v1/profiles` body. */
export type DemoProfile = Omit<InboundProfile, 'tenant' | 'receivedAt'>;

export type Language = 'en' | 'es';

/** A message of a conversation: who writes, how many minutes after the one before, and what. */
export type Turn = readonly [by: 'customer' | 'us', minutesLater: number, text: string];

export type Goods = 'coffee' | 'device' | 'home';

/** How far the order that is talked about has got, or that it is about no order. */
export type Topic = 'placed' | 'underway' | 'delivered' | 'anything';

export type MessageChannel = 'email' | 'chat' | 'whatsapp' | 'social';

/** A text about one product may fit some goods only. */
export interface Remark {
  text: string;
  goods?: readonly Goods[];
}

/**
 * Texts may hold slots: `{given}`, `{order}`, `{product}`, `{the}` (the product with its article), `{city}`, `{agent}`, `{day:2}`
 * (the weekday two days on; said by us, it is a promise), and choices: `<one way|another way>`.
 */
export interface Conversation {
  channels: readonly MessageChannel[];
  about: Topic;
  goods?: readonly Goods[];
  /** Makes sense only for somebody who has this. */
  needs?: 'loyalty';
  subject: string;
  turns: readonly Turn[];
}

export interface Call {
  about: Topic;
  goods?: readonly Goods[];
  /** Makes sense only for somebody who has this. */
  needs?: 'loyalty';
  direction: 'inbound' | 'outbound';
  subject: string;
  /** What the agent noted. */
  text: string;
  outcome: string;
  minutes: number;
}

/** What one language's customers and agents say. */
export interface Phrasebook {
  conversations: readonly Conversation[];
  calls: readonly Call[];
  visits: readonly Remark[];
  forms: readonly { subject: string; text: string; kind: 'message' | 'case' }[];
  feedback: readonly { score: number; text: string }[];
  letters: readonly (Remark & { subject: string })[];
  trickle: readonly Remark[];
  weekdays: readonly string[];
  order: { placed: string; shipped: string; delivered: string };
}
