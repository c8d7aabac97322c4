import { SCHEMAS } from '#libs/domain';
import type { StoredEvent } from '#libs/event-store';
import { interactionContent } from '#libs/testing';
import { packEvents, unpackEvents } from './hand-over.js';

const TYPE = 'InteractionRecorded';

const event = (over: Partial<StoredEvent> = {}): StoredEvent => ({
  position: 7,
  stream: 'interaction-10000000-0000-8000-8000-000000000001',
  revision: 0,
  id: 'e0000000-0000-8000-8000-000000000001',
  type: TYPE,
  schema: SCHEMAS[TYPE]!,
  tenant: 'acme',
  recordedAtMs: 1_700_000_000_000,
  data: interactionContent(),
  ...over,
});

const dataOf = (given: StoredEvent) => unpackEvents(packEvents([given]))[0]!.data;

describe('events handed over', () => {
  it('come with what projections read of a contact, an erased one as such', () => {
    const { digest, externalId, ...read } = interactionContent({ text: 'x'.repeat(5000) });
    const handed = dataOf(event({ data: { digest, externalId, ...read, erased: true } }));
    expect(handed).toMatchObject({
      anchor: read.anchor,
      occurredAt: read.occurredAt,
      subject: read.subject,
      erased: true,
    });
    expect(handed).not.toHaveProperty('digest');
    expect((handed as { text: string }).text.length).toBeLessThan(500);
  });

  it('come whole where they have the shape of an earlier release, or are no contacts', () => {
    const data = { of: 'another shape', digest: 'd' };
    expect(dataOf(event({ schema: SCHEMAS[TYPE]! - 1, data }))).toEqual(data);
    expect(dataOf(event({ type: 'NoteAdded', data }))).toEqual(data);
  });
});
