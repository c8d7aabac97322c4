import type { InteractionContent } from '#libs/domain';
import type { InboundInteraction } from '#libs/kernel';

/** A plain inbound mail as it travels; override what the test is about. */
export const inboundInteraction = (over: Partial<InboundInteraction> = {}): InboundInteraction => ({
  tenant: 'acme',
  channel: 'email',
  account: 'care@acme.example',
  externalId: '<1@mail.example>',
  kind: 'message',
  direction: 'inbound',
  occurredAt: '2025-03-02T09:15:00.000Z',
  receivedAt: '2025-03-02T09:15:04.000Z',
  customer: { identifiers: [{ type: 'email', value: 'ana@example.com' }], name: 'Ana Ruiz' },
  subject: 'Where is my order?',
  text: 'I ordered on Monday and have heard nothing since.',
  ...over,
});

/** The same mail as it is kept. */
export const interactionContent = (over: Partial<InteractionContent> = {}): InteractionContent => ({
  channel: 'email',
  account: 'care@acme.example',
  externalId: '<1@mail.example>',
  revision: 1,
  kind: 'message',
  conversation: 'c0000000-0000-8000-8000-000000000001',
  direction: 'inbound',
  occurredAt: '2025-03-02T09:15:00.000Z',
  receivedAt: '2025-03-02T09:15:04.000Z',
  anchor: 'a0000000-0000-8000-8000-000000000001',
  identities: [{ identity: 'a0000000-0000-8000-8000-000000000001', type: 'email', value: 'ana@example.com' }],
  name: 'Ana Ruiz',
  subject: 'Where is my order?',
  text: 'I ordered on Monday and have heard nothing since.',
  digest: 'digest-1',
  ...over,
});
