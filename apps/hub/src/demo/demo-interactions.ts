import { BRANCHES, PEOPLE, PRODUCTS, identifiersOn, type Person } from './casa-lumbre.js';
import type { Conversation, DemoInteraction, MessageChannel } from './demo.types.js';
import { between, pick, seeded, shuffled, type Random } from './random.js';
import { DAY, HOUR, MINUTE, PHRASES, type Scheduled } from './scene.js';
import { showcase } from './showcase.js';
import { Storyteller } from './storyteller.js';

/**
 * A year of contacts up to `now`, in the order in which the hub hears of them: bodies of `POST /v1/interactions`. The same `now`
 * gives the same contacts; another one gives the same ids at other times, so load them into an empty log.
 */
export const demoInteractions = (now: Date): DemoInteraction[] => {
  const nowMs = now.getTime();
  const scheduled = [
    ...showcase(nowMs),
    ...PEOPLE.slice(1).flatMap((person, i) => yearOf(person, String(i + 2).padStart(2, '0'), nowMs)),
  ];
  return scheduled
    .filter(
      ({ heardMs, interaction }) =>
        heardMs <= nowMs && Date.parse(interaction.endedAt ?? interaction.occurredAt) <= nowMs,
    )
    .toSorted((a, b) => a.heardMs - b.heardMs)
    .map(({ interaction }) => interaction);
};

const yearOf = (person: Person, key: string, nowMs: number): Scheduled[] => {
  const random = seeded(Number(key) * 7919);
  const teller = new Storyteller(person, key, random);
  const phrases = PHRASES[person.language];
  const moment = (least = 1, most = 355): number => daytime(random, person, nowMs, between(random, least, most));

  const talks = shuffled(random, phrases.conversations).filter(
    (story) => fits(person, story) && channelsFor(person, story).length > 0,
  );
  for (const story of talks.slice(0, between(random, 3, 4))) {
    teller.conversation(story, pick(random, channelsFor(person, story)), moment());
  }
  const calls = shuffled(random, phrases.calls).filter((story) => fits(person, story));
  const talksByPhone = person.uses.includes('phone');
  for (const story of calls.slice(0, talksByPhone ? between(random, 3, 5) : between(random, 0, 1))) {
    const call = teller.call(story, moment());
    if (story.outcome === 'refund-issued') teller.told.push(corrected(call));
    if (story.outcome === 'abandoned') withhold(call);
  }
  if (person.loyalty) {
    for (const remark of shuffled(random, phrases.visits).slice(0, between(random, 2, 4)))
      teller.visit(remark, moment());
  }
  if (person.email || person.cookie) {
    teller.feedback(pick(random, phrases.feedback), moment());
    if (random() < 0.6) teller.form(pick(random, phrases.forms), moment());
  }
  if (person.account) {
    teller.login(moment(300, 355));
    const placed = moment(6, 340);
    teller.order(placed, placed + 22 * HOUR, placed + 3 * DAY + 4 * HOUR, pick(random, PRODUCTS));
  }
  if (person.uses.includes('letter'))
    teller.letter(pick(random, phrases.letters), moment(20, 340), between(random, 2, 6));
  return teller.told;
};

const fits = (person: Person, { needs }: Pick<Conversation, 'needs'>): boolean =>
  needs === undefined || person[needs] !== undefined;

const channelsFor = (person: Person, { channels }: Conversation): MessageChannel[] =>
  channels.filter((channel) => person.uses.includes(channel) && identifiersOn(person, channel).length > 0);

/** A moment of a day so many days ago at which the shops are open. */
const daytime = (random: Random, person: Person, nowMs: number, daysAgo: number): number =>
  Math.floor(nowMs / DAY) * DAY -
  daysAgo * DAY +
  Math.round(between(random, 9 * 60, 19 * 60 + 30) - BRANCHES[person.city].utcOffset * 60) * MINUTE +
  between(random, 0, 59) * 1000;

/** The agent mends the note two hours later: the same call under a higher revision. */
const corrected = ({ heardMs, interaction }: Scheduled): Scheduled => ({
  heardMs: heardMs + 2 * HOUR,
  interaction: {
    ...interaction,
    revision: 2,
    text: `${interaction.text} (${interaction.language === 'es' ? 'Corregido: el reembolso es parcial, sin gastos de envío.' : 'Corrected: partial refund, shipping not included.'})`,
  },
});

/** The number was withheld, and nobody said a name. */
const withhold = ({ interaction }: Scheduled): void => {
  interaction.customer = {};
};
