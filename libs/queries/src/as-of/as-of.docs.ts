import { ApiQuery } from '#libs/kernel/api-docs.js';
import type { LateDecorator } from '#libs/kernel/late-decorators.js';

/** Parameters that ask for a past. */
export const AS_OF = ['asOf', 'asOfPosition'] as const;

/** What the API page says of the position in an answer. */
export const AS_OF_POSITION =
  'With `asOf`: how far the log went then. Give as `asOfPosition` for the same answer again';

const asOf = ApiQuery({
  name: 'asOf',
  required: false,
  example: '2026-03-02T12:00:00Z',
  description:
    'Instant of our clock: answer with what was recorded by then, the links active then, names and corrections as ' +
    'they stood. One to come answers with everything recorded so far',
});
const asOfPosition = ApiQuery({
  name: 'asOfPosition',
  required: false,
  description: 'Position in the log instead of an instant: `asOfPosition` of an earlier answer',
});

/** Describes the parameters that ask for a past. */
export const AsOfQueries = (): LateDecorator => (target, key) => {
  asOf(target, key);
  asOfPosition(target, key);
};
