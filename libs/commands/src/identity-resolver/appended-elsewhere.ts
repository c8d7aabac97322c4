import type { EventStore } from '#libs/event-store';
import { HubError, type Uuid } from '#libs/kernel';

/**
 * Stands in for `append` while another program decides: an append of what is in the log already succeeds as it would,
 * what met something else conflicts, and what is not there yet fails for now. So a resolver that stands by comes to know
 * what the active one does, and writes nothing.
 * @param erased what is erased: nothing is added to it any more, by nobody
 */
export const appendedElsewhere =
  (read: EventStore['read'], erased: { has(id: Uuid): boolean }): EventStore['append'] =>
  async (stream, events, expected) => {
    const stored = await read(stream);
    const first = expected === 'no_stream' ? 0 : expected + 1;
    const place = stored.slice(first, first + events.length);
    if (place.length === 0 && erased.has(stream.slice(stream.indexOf('-') + 1)))
      throw new HubError('PRIVACY.IDENTITY_ERASED', `what ${stream} belongs to was erased; nothing is added to it`);
    if (place.length === 0)
      throw new HubError('RESOLVER.AHEAD', `${stream} has no revision ${first} yet: nobody has decided that`, {
        retryable: true,
      });
    const last = place.at(-1)!;
    if (events.every(({ id }, index) => place[index]?.id === id))
      return { position: last.position, revision: last.revision };
    throw new HubError('EVENT_STORE.REVISION_CONFLICT', `${stream} went another way at revision ${first}`, {
      facts: { stream, expected, actual: stored.at(-1)!.revision },
    });
  };
