import { PEOPLE, identifiersOn, type Person } from './casa-lumbre.js';
import type { DemoInteraction } from './demo.types.js';
import { pick, type Random } from './random.js';
import { PHRASES, contact, fill, productFor } from './scene.js';

const WRITTEN = ['email', 'chat', 'whatsapp', 'social'] as const;

const channelsOf = (person: Person): (typeof WRITTEN)[number][] =>
  WRITTEN.filter((channel) => person.uses.includes(channel) && identifiersOn(person, channel).length > 0);

/**
 * One more contact that has just happened: a message, or a visit of somebody with a card. The same numbers at the same
 * `now` give the same contact.
 */
export const demoTrickle = (random: Random, now: Date = new Date()): DemoInteraction => {
  const person = pick(random, PEOPLE);
  const phrases = PHRASES[person.language];
  const channels = channelsOf(person);
  const comesBy = person.loyalty !== undefined && (channels.length === 0 || random() < 0.25);
  const remark = pick(random, comesBy ? phrases.visits : phrases.trickle);
  const atMs = now.getTime();
  const id = `live-${atMs.toString(36)}-${Math.floor(random() * 36 ** 6).toString(36)}`;
  const channel = comesBy ? 'store' : pick(random, channels);
  return contact(person, {
    id,
    channel,
    kind: comesBy ? 'visit' : 'message',
    direction: 'inbound',
    atMs,
    ...(!comesBy && { threadId: id }),
    text: fill(remark.text, { person, atMs, product: productFor(random, remark.goods) }, random),
  }).interaction;
};
