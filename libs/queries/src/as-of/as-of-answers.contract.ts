import fc from 'fast-check';
import { codeOf } from '#libs/kernel';
import { GetConversationQuery } from '../conversations/get-conversation.handler.js';
import { FindCustomersQuery } from '../customers/find-customers.handler.js';
import { GetCustomerQuery } from '../customers/get-customer.handler.js';
import { GetInteractionQuery } from '../interactions/get-interaction.handler.js';
import { GetCustomerIdentitiesQuery } from '../links/get-customer-identities.handler.js';
import type { LinkDto } from '../links/links.dto.js';
import type { AsOf, PageBounds } from '../shared/cursor.js';
import { GetTimelineQuery } from '../timeline/get-timeline.handler.js';
import type { AsOfHub } from './as-of-hub.contract.js';
import {
  BEGIN_MS,
  CONVERSATIONS,
  PEOPLE,
  conversationId,
  emailOf,
  interactionId,
  personId,
  profileId,
} from './as-of-people.contract.js';

interface Filter {
  channels?: string[];
  kinds?: string[];
  directions?: string[];
  from?: number;
  to?: number;
}

const minuteMs = fc.nat(12).map((minute) => BEGIN_MS + minute * 60_000);
export const filter: fc.Arbitrary<Filter> = fc.record(
  {
    channels: fc.constantFrom(['email'], ['phone', 'email'], ['fax']),
    kinds: fc.constantFrom(['call'], ['call', 'message'], ['note', 'commitment']),
    directions: fc.constantFrom(['inbound']),
    from: minuteMs,
    to: minuteMs,
  },
  { requiredKeys: [] },
);

type Page<Item> = { items: Item[]; next?: string; previous?: string };

/** All entries by following `next` to the oldest, and those met on the way back by `previous`. */
const walk = async <Item>(bounds: PageBounds, read: (bounds: PageBounds) => Promise<Page<Item>>) => {
  let page = await read(bounds);
  const first = page;
  const older = [...page.items];
  while (page.next) older.push(...(page = await read({ ...bounds, before: page.next })).items);
  const newer = [...page.items];
  while (page.previous) newer.unshift(...(page = await read({ ...bounds, after: page.previous })).items);
  return { first: first.items, older, newer };
};

/** An answer without the position it stands for, or the code of a refusal. */
const answerOf = async (asked: Promise<object>): Promise<object | string> => {
  try {
    const { asOfPosition: _, ...answer } = (await asked) as { asOfPosition?: number };
    return answer;
  } catch (error) {
    const code = codeOf(error);
    if (!code?.endsWith('.NOT_FOUND')) throw error;
    return code;
  }
};

/** Everything a hub answers, as of a past or now. */
export const everything = async (hub: AsOfHub, question: Filter & { limit: number; body: boolean }, asOf?: AsOf) => {
  const tenant = 'acme';
  const bounds = { limit: question.limit, ...(asOf && { asOf }) };
  const people = Array.from({ length: PEOPLE }, (_, n) => personId(n));
  const answers: Record<string, unknown> = {};
  for (const [n, id] of [...people, profileId(0), profileId(1), personId(0, 'other')].entries()) {
    answers[`customer ${n}`] = await answerOf(hub.customer.execute(new GetCustomerQuery(tenant, id, asOf)));
    answers[`timeline ${n}`] = await answerOf(
      walk(bounds, (at) =>
        hub.timeline.execute(new GetTimelineQuery({ tenant, customer: id, ...question, ...bounds, ...at })),
      ),
    );
  }
  for (const [n, id] of [...people, profileId(0), personId(0, 'other')].entries()) {
    const read = (at: PageBounds) =>
      hub.identities.execute(new GetCustomerIdentitiesQuery({ tenant, customer: id, ...bounds, ...at }));
    const links = async (at: PageBounds): Promise<Page<LinkDto>> => {
      const { links: items, next, previous } = await read(at);
      return { items, ...(next && { next }), ...(previous && { previous }) };
    };
    answers[`identities ${n}`] = await answerOf(read(bounds).then(({ identities }) => ({ identities })));
    answers[`links ${n}`] = await answerOf(walk(bounds, links));
  }
  for (let n = 0; n < PEOPLE; n++)
    answers[`found ${n}`] = await answerOf(
      hub.find.execute(new FindCustomersQuery(tenant, `email:${emailOf(n)}`, asOf)),
    );
  for (let n = 0; n < CONVERSATIONS; n++) {
    const read = (at: PageBounds) =>
      hub.conversation.execute(
        new GetConversationQuery({ tenant, id: conversationId(n), body: question.body, ...bounds, ...at }),
      );
    answers[`conversation ${n}`] = await answerOf(walk(bounds, read));
    answers[`taking part ${n}`] = await answerOf(read(bounds).then(({ customers }) => ({ customers })));
  }
  for (let n = 0; n < 8; n++)
    answers[`contact ${n}`] = await answerOf(
      hub.interaction.execute(new GetInteractionQuery(tenant, interactionId(n), asOf)),
    );
  return answers;
};
