import { BRANCHES, identifiersOn, type Person, type Product } from './casa-lumbre.js';
import type { Call, Conversation, MessageChannel, Remark } from './demo.types.js';
import { between, pick, type Random } from './random.js';
import { DAY, HOUR, MINUTE, PHRASES, contact, fill, productFor, promiseIn, whenOpen, type Scheduled } from './scene.js';

interface Order {
  number: string;
  product: Product;
}

/** Tells what happens between the company and one person; every contact gets an id of its own. */
export class Storyteller {
  readonly told: Scheduled[] = [];
  private stories = 0;
  private orders = 0;

  constructor(
    private readonly person: Person,
    /** Unique in the demo; two digits. */
    private readonly key: string,
    private readonly random: Random,
  ) {}

  /** A bought thing: order, dispatch and delivery as one thread. */
  order(placedMs: number, shippedMs: number, deliveredMs: number, product: Product): Order {
    const { order } = PHRASES[this.person.language];
    const number = `CL-2${this.key}${String(++this.orders).padStart(2, '0')}`;
    const quantity = product.price < 30 ? between(this.random, 1, 3) : 1;
    const steps = [
      ['order', placedMs, order.placed, 'inbound', 'placed'],
      ['status', whenOpen(this.person, shippedMs), order.shipped, 'outbound', 'shipped'],
      ['status', whenOpen(this.person, deliveredMs), order.delivered, 'outbound', 'delivered'],
    ] as const;
    for (const [kind, atMs, text, direction, outcome] of steps) {
      this.told.push(
        contact(this.person, {
          id: `${number}-${outcome}`,
          channel: 'commerce',
          kind,
          direction,
          atMs,
          threadId: number,
          subject: number,
          text: fill(text, { person: this.person, atMs, order: number, product }, this.random),
          outcome,
          ...(kind === 'order' && {
            attributes: { sku: product.sku, quantity, total: product.price * quantity },
          }),
        }),
      );
    }
    return { number, product };
  }

  /** The order that a story is about, placed so that it has got as far as the story says. */
  private orderFor({ about, goods }: Pick<Conversation | Call, 'about' | 'goods'>, atMs: number): Partial<Order> {
    const product = productFor(this.random, goods);
    switch (about) {
      case 'placed':
        return this.order(atMs - 2 * HOUR, atMs + 20 * HOUR, atMs + 3 * DAY, product);
      case 'underway':
        return this.order(atMs - 5 * DAY, atMs - 4 * DAY, atMs + DAY, product);
      case 'delivered':
        return this.order(atMs - 6 * DAY, atMs - 5 * DAY, atMs - 2 * DAY, product);
      case 'anything':
        return { product };
    }
  }

  conversation(story: Conversation, channel: MessageChannel, startMs: number): void {
    const { number, product } = this.orderFor(story, startMs);
    const threadId = this.nextStory();
    const agent = this.agent();
    const slots = { person: this.person, agent, ...(number && { order: number }), ...(product && { product }) };
    let atMs = startMs;
    story.turns.forEach(([by, minutesLater, text], turn) => {
      const stretched = minutesLater * MINUTE * (0.7 + 0.6 * this.random());
      atMs = Math.round((atMs + stretched) / 1000) * 1000;
      if (by === 'us') atMs = whenOpen(this.person, atMs);
      this.told.push(
        contact(this.person, {
          id: `${threadId}-${turn + 1}`,
          channel,
          kind: 'message',
          direction: by === 'us' ? 'outbound' : 'inbound',
          atMs,
          threadId,
          ...(by === 'us' && { agent, attributes: promiseIn(text, this.person, atMs) }),
          ...(channel === 'email' && {
            subject: `${turn > 0 ? 'Re: ' : ''}${fill(story.subject, { ...slots, atMs }, this.random)}`,
          }),
          text: fill(text, { ...slots, atMs }, this.random),
        }),
      );
    });
  }

  /** @returns the call, so that it may be corrected */
  call(story: Call, startMs: number): Scheduled {
    const { number, product } = this.orderFor(story, startMs);
    const agent = this.agent();
    const slots = {
      person: this.person,
      atMs: startMs,
      agent,
      ...(number && { order: number }),
      ...(product && { product }),
    };
    const seconds = story.minutes * 60 + between(this.random, -20, 50);
    const told = contact(this.person, {
      id: this.nextStory(),
      channel: 'phone',
      kind: 'call',
      direction: story.direction,
      atMs: startMs,
      endedMs: startMs + seconds * 1000,
      agent,
      subject: fill(story.subject, slots, this.random),
      text: fill(story.text, slots, this.random),
      outcome: story.outcome,
      attributes: {
        durationSeconds: seconds,
        ...(story.direction === 'inbound' && { waitedSeconds: between(this.random, 4, 190) }),
        ...promiseIn(story.text, this.person, startMs),
      },
    });
    this.told.push(told);
    return told;
  }

  visit(remark: Remark, atMs: number): void {
    const product = productFor(this.random, remark.goods);
    this.told.push(
      contact(this.person, {
        id: this.nextStory(),
        channel: 'store',
        kind: 'visit',
        direction: 'inbound',
        atMs,
        agent: this.agent(),
        text: fill(remark.text, { person: this.person, atMs, product }, this.random),
        attributes: { sku: product.sku },
      }),
    );
  }

  form({ subject, text, kind }: { subject: string; text: string; kind: 'message' | 'case' }, atMs: number): void {
    this.told.push(
      contact(this.person, { id: this.nextStory(), channel: 'web', kind, direction: 'inbound', atMs, subject, text }),
    );
  }

  feedback({ score, text }: { score: number; text: string }, atMs: number): void {
    this.told.push(
      contact(this.person, {
        id: this.nextStory(),
        channel: 'web',
        kind: 'feedback',
        direction: 'inbound',
        atMs,
        text,
        attributes: { score, scale: 5 },
      }),
    );
  }

  /** Written one day, opened at the office another. */
  letter(letter: Remark & { subject: string }, writtenMs: number, daysUnderway: number): void {
    const product = productFor(this.random, letter.goods);
    this.told.push(
      contact(this.person, {
        id: this.nextStory(),
        channel: 'letter',
        kind: 'message',
        direction: 'inbound',
        atMs: writtenMs,
        heardMs: writtenMs + daysUnderway * DAY,
        subject: letter.subject,
        text: fill(letter.text, { person: this.person, atMs: writtenMs, product }, this.random),
      }),
    );
  }

  /** A login on the web: who was a cookie until then is an account. */
  login(atMs: number): void {
    this.told.push(
      contact(this.person, {
        id: this.nextStory(),
        channel: 'web',
        kind: 'identify',
        direction: 'inbound',
        atMs,
        identifiers: identifiersOn(this.person, 'chat'),
      }),
    );
  }

  private nextStory(): string {
    return `casa-${this.key}-${++this.stories}`;
  }

  private agent(): string {
    return pick(this.random, BRANCHES[this.person.city].agents);
  }
}
