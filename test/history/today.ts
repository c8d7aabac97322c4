import type {
  AccessEvent,
  AgentWorkEvent,
  ConsentEvent,
  ErasureEvent,
  IdentityErased,
  IdentityEvent,
  InteractionContent,
  InteractionEvent,
} from '#libs/domain';

export const email = '10000000-0000-8000-8000-000000000001';
export const phone = '10000000-0000-8000-8000-000000000002';
export const profile = '10000000-0000-8000-8000-000000000003';
const withheld = '10000000-0000-8000-8000-000000000004';
export const era = '10000000-0000-8000-8000-000000000005';
export const interaction = '20000000-0000-8000-8000-000000000001';
export const conversation = '30000000-0000-8000-8000-000000000001';
export const linkA = '40000000-0000-8000-8000-000000000001';
export const linkB = '40000000-0000-8000-8000-000000000002';
const note = '70000000-0000-8000-8000-000000000001';
const commitment = '80000000-0000-8000-8000-000000000001';
const erasure = '70000000-0000-8000-8000-000000000001';

export const content: Required<Omit<InteractionContent, 'erased'>> = {
  channel: 'email',
  account: 'care@acme.example',
  externalId: '<a1@mail.example>',
  revision: 1,
  kind: 'message',
  threadId: '<a0@mail.example>',
  direction: 'inbound',
  occurredAt: '2025-03-02T09:15:00.000Z',
  endedAt: '2025-03-02T09:16:00.000Z',
  receivedAt: '2025-03-02T09:16:04.000Z',
  agent: 'agent-7',
  subject: '¿Dónde está mi pedido?',
  text: 'Lo pedí el lunes y no sé nada.',
  html: '<p>Lo pedí el lunes y no sé nada.</p>',
  language: 'es-ES',
  outcome: 'open',
  attachments: [
    {
      name: 'pedido.pdf',
      contentType: 'application/pdf',
      bytes: 4711,
      url: 'https://files.example/pedido.pdf',
      externalId: 'f-1',
    },
  ],
  attributes: { order: 'A-1', total: 12.5, express: true, coupon: null, items: ['tea', 'cup', 2] },
  conversation,
  anchor: email,
  identities: [
    { identity: email, type: 'email', value: 'lucia@example.com', verified: true },
    { identity: phone, type: 'phone', value: '+34600111222' },
    { identity: withheld, type: 'phone', value: 'anonymous', blocked: true },
  ],
  name: 'Lucía Gómez',
  digest: 'Zm9vYmFyYmF6cXV4MTIzNA',
};

const by = { agent: 'agent-7' };
const proposed = {
  link: linkB,
  a: email,
  b: profile,
  rule: 'rules-1',
  reason: 'conflicting-profiles',
  confidence: 0.98,
} as const;

const written = { conversation, anchor: email, channel: 'email', account: 'care@acme.example', by };
const asked = {
  erasure,
  customer: email,
  by: 'abcdefgh',
  reason: 'art-17',
  requestedAt: '2025-04-01T08:00:00.000Z',
  contacts: 2,
  events: 3,
  rows: [
    { table: 'entry', rows: 2 },
    { table: 'timeline', rows: 2 },
  ],
};

type StoredFact =
  InteractionEvent | IdentityEvent | AccessEvent | AgentWorkEvent | ConsentEvent | ErasureEvent | IdentityErased;

/**
 * What every file must read as today, typed as today's code types it: a changed shape does not compile here, and once
 * it does, the file of the old one needs its upcaster.
 */
export const TODAY: Readonly<Record<string, StoredFact>> = {
  'InteractionRecorded.1': { type: 'InteractionRecorded', data: content },
  'InteractionCorrected.1': {
    type: 'InteractionCorrected',
    data: {
      ...content,
      revision: 2,
      receivedAt: '2025-03-02T11:00:00.000Z',
      occurredAt: '2025-03-02T09:14:30.000Z',
      subject: '¿Dónde está mi pedido A-1?',
      text: 'Lo pedí el domingo y no sé nada.',
      outcome: 'answered',
      digest: 'Y29ycmVjdGVkMTIzNDU2Nw',
    },
  },
  'SenderAliasSeen.1': {
    type: 'SenderAliasSeen',
    data: {
      anchor: email,
      identities: content.identities.slice(0, 2),
      kind: 'message',
      occurredAt: '2025-03-02T09:15:00.000Z',
      name: 'Lucía Gómez',
      digest: 'YWxpYXMxMjM0NTY3ODkwMQ',
    },
  },
  'ProfileImported.1': {
    type: 'ProfileImported',
    data: {
      source: 'crm',
      externalId: '4711',
      name: 'Lucía Gómez Ruiz',
      givenName: 'Lucía',
      familyName: 'Gómez Ruiz',
      birthDate: '1980-02-29',
      createdAt: '2020-01-01T00:00:00.000Z',
      consents: { marketing: false, email: true },
      attributes: { tier: 'gold', points: 120 },
      profile,
      identities: content.identities.slice(0, 2),
      digest: 'cHJvZmlsZTEyMzQ1Njc4OQ',
    },
  },
  'IdentitiesLinked.1': {
    type: 'IdentitiesLinked',
    data: { link: linkA, a: email, b: phone, rule: 'rules-1', evidence: 'same-interaction', confidence: 0.873 },
  },
  'LinkProposed.1': { type: 'LinkProposed', data: { ...proposed, evidence: 'unknown' } },
  'LinkProposed.2': { type: 'LinkProposed', data: { ...proposed, evidence: 'profile-import' } },
  'LinkConfirmed.1': {
    type: 'LinkConfirmed',
    data: { link: linkB, by, reason: 'the customer said so on the phone' },
  },
  'LinkRejected.1': { type: 'LinkRejected', data: { link: linkB, by, reason: 'two people of one household' } },
  'LinkRetracted.1': { type: 'LinkRetracted', data: { link: linkA, by, reason: 'the phone is the office one' } },
  'IdentityErasDecided.1': {
    type: 'IdentityErasDecided',
    data: { identity: email, former: [{ identity: era, until: '2025-03-03' }], rule: 'rules-2+0a1b2c3d' },
  },
  'TimelineViewed.1': {
    type: 'TimelineViewed',
    data: {
      by: 'abcdefgh',
      customer: phone,
      at: '2025-03-02T09:16:08.000Z',
      saw: ['header', 'timeline'],
      reads: 3,
      reason: 'complaint',
    },
  },
  'PersonalDataRevealed.1': {
    type: 'PersonalDataRevealed',
    data: {
      by: 'user:mika',
      customer: email,
      at: '2025-03-02T09:16:10.000Z',
      field: 'identifier',
      identity: phone,
      reason: 'call-back',
    },
  },
  'NoteAdded.1': {
    type: 'NoteAdded',
    data: { note, ...written, at: '2025-03-02T09:16:11.000Z', text: 'Lucía prefiere que la llamen.' },
  },
  'CommitmentMade.1': {
    type: 'CommitmentMade',
    data: {
      commitment,
      ...written,
      at: '2025-03-02T09:16:12.000Z',
      text: 'Llamar a Lucía con la fecha de entrega.',
      dueAt: '2025-03-04T09:00:00.000Z',
    },
  },
  'CommitmentKept.1': {
    type: 'CommitmentKept',
    data: { commitment, ...written, at: '2025-03-03T10:00:00.000Z', reason: 'Dicho por teléfono.' },
  },
  'CommitmentWithdrawn.1': {
    type: 'CommitmentWithdrawn',
    data: { commitment, ...written, at: '2025-03-03T11:00:00.000Z', reason: 'Lucía ya tiene la fecha.' },
  },
  'ConsentRecorded.1': {
    type: 'ConsentRecorded',
    data: {
      identity: email,
      purpose: 'marketing',
      channel: 'email',
      granted: false,
      evidence: 'lo pidió por teléfono',
      until: '2026-03-02T00:00:00.000Z',
      statedAt: '2025-03-02T09:16:11.000Z',
      by: 'abcdefgh',
    },
  },
  'PreferenceStated.1': {
    type: 'PreferenceStated',
    data: {
      identity: email,
      channel: 'whatsapp',
      purpose: 'orders',
      withdrawn: true,
      evidence: 'lo dijo en la tienda',
      until: '2026-03-02T00:00:00.000Z',
      statedAt: '2025-03-02T09:16:11.000Z',
      by: 'user:mika',
    },
  },
  'ErasureRequested.1': {
    type: 'ErasureRequested',
    data: {
      ...asked,
      identities: [
        { identity: email, type: 'email' },
        { identity: phone, type: 'phone' },
      ],
      links: [linkA],
      conversations: [conversation],
    },
  },
  'IdentityErased.1': {
    type: 'IdentityErased',
    data: { identity: email, erasure, by: 'abcdefgh', reason: 'art-17', at: '2025-04-01T08:00:00.015Z' },
  },
  'ErasureCompleted.1': {
    type: 'ErasureCompleted',
    data: {
      ...asked,
      completedAt: '2025-04-01T08:00:00.025Z',
      position: 21,
      identities: [
        { identity: email, type: 'email', keyDestroyed: true },
        { identity: phone, type: 'phone', keyDestroyed: false },
      ],
      links: 1,
      conversations: 1,
      parked: 1,
      files: ['events.db', 'identity.db', 'keys.db', 'read-model.db'],
    },
  },
};

/** Shape 2 says what shape 1 said, sealed. */
export const todayOf = (name: string): StoredFact | undefined => TODAY[name] ?? TODAY[name.replace(/\.2$/, '.1')];

/** A copy without some fields. */
export const without = <Value extends object, Field extends keyof Value>(
  value: Value,
  ...fields: Field[]
): Omit<Value, Field> => {
  const copy = { ...value };
  for (const field of fields) delete copy[field];
  return copy;
};
