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

  it('say the same of a contact, and of everybody it names', () => {
    const content = interactionContent({
      identities: [
        { identity: 'a0000000-0000-8000-8000-000000000001', type: 'email', value: 'ana@mail.example', verified: true },
        { identity: 'a0000000-0000-8000-8000-000000000002', type: 'phone', value: 'anonymous', blocked: true },
      ],
      endedAt: '2026-01-02T03:04:05.000Z',
      name: 'Ana',
      agent: 'agent-7',
      subject: 'An order',
      text: 'Where is it?',
      outcome: 'answered',
    });
    const { digest: _digest, externalId: _externalId, ...read } = content;
    expect(dataOf(event({ data: content }))).toEqual(read);
  });

  it('come whole where they have the shape of an earlier release, or are no contacts', () => {
    const data = { of: 'another shape', digest: 'd' };
    expect(dataOf(event({ schema: SCHEMAS[TYPE]! - 1, data }))).toEqual(data);
    expect(dataOf(event({ type: 'NoteAdded', data }))).toEqual(data);
  });
});
