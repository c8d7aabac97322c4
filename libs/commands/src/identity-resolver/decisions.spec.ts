import { streamId, type NewEvent, type StoredEvent, type StreamId } from '#libs/event-store';
import { HubError, IdFactory, type Uuid } from '#libs/kernel';
import { Decisions, type Decided } from './decisions.js';

const ids = new IdFactory(Buffer.alloc(32));
const id = (n: number): Uuid => `${n}0000000-0000-8000-8000-000000000001`;
const [number, era, account] = [id(1), id(2), id(3)];

/** What was appended, and what was put back; appends to `taken` meet somebody else's event. */
const decisionsOver = (...taken: StreamId[]) => {
  const appended: StreamId[] = [];
  const undone: StreamId[] = [];
  const decisions = new Decisions(ids, async (stream: StreamId, _events: NewEvent[]) => {
    if (taken.includes(stream))
      throw new HubError('EVENT_STORE.REVISION_CONFLICT', 'somebody else was there', { retryable: false });
    appended.push(stream);
    return { position: appended.length, revision: 0 };
  });
  const add = (stream: StreamId, about: Uuid[], over: Partial<Decided> = {}): void =>
    decisions.add({
      tenant: 'acme',
      stream,
      event: { type: stream.startsWith('eras') ? 'IdentityErasDecided' : 'IdentitiesLinked', data: {} },
      digest: 'said',
      before: -1,
      about,
      undo: () => void undone.push(stream),
      ...over,
    });
  return { decisions, add, appended, undone };
};

const eras = streamId('eras', number);
const toEra = streamId('link', id(4));
const other = streamId('link', id(5));

describe('decisions of a batch', () => {
  it('tell of a time in front of the links to it', async () => {
    const { decisions, add, appended, undone } = decisionsOver();
    add(toEra, [account, era]);
    add(eras, [era]);
    await decisions.record();
    expect([appended, undone]).toEqual([[eras, toEra], []]);
  });

  it('fall with the time they are about where somebody else has told of it, and no others', async () => {
    const { decisions, add, appended, undone } = decisionsOver(eras);
    add(toEra, [account, era]);
    add(other, [account, number]);
    add(eras, [era]);
    await decisions.record();
    expect([appended, undone]).toEqual([[other], [eras, toEra]]);
  });

  it('are known again by their place and what they say', () => {
    const { decisions, add } = decisionsOver();
    add(eras, [era]);
    const stored = { stream: eras, revision: 0 } as StoredEvent;
    const ours = { ...stored, id: ids.event(eras, 0, 'said') };
    const theirs = { ...stored, id: ids.event(eras, 0, 'said otherwise') };
    expect([decisions.isOurs(ours), decisions.isOurs(theirs)]).toEqual([true, false]);
    expect(decisions.isNews(ours, 0)).toBe(false);
    expect(decisions.isNews(theirs, 0)).toBe(true);
    // What was decided in its place has fallen: it is no news a second time.
    expect(decisions.isNews(theirs, 0)).toBe(false);
  });
});
