import type {
  CarriedIdentity,
  CommitmentKept,
  CommitmentMade,
  ConsentRecorded,
  ErasureCompleted,
  ErasureRequested,
  IdentitiesLinked,
  IdentityErasDecided,
  IdentityErased,
  InteractionContent,
  LinkConfirmed,
  LinkProposed,
  LinkRetracted,
  NoteAdded,
  PersonalDataRevealed,
  PreferenceStated,
  ProfileImported,
  SenderAliasSeen,
  TimelineViewed,
} from '#libs/domain';

type Full<Data> = Required<Omit<Data, 'erased'>>;

const id = (digit: number): string => `${digit}0000000-0000-8000-8000-000000000001`;

/** Whether a value of an example tells who somebody is or what was said: all of those carry the word. */
export const isPersonal = (value: unknown): boolean =>
  (typeof value === 'string' && /canary/i.test(value)) || value === 471_100_815;

const identity: Required<CarriedIdentity> = {
  identity: id(1),
  type: 'email',
  value: 'canary.identity@example.com',
  verified: true,
  blocked: true,
};

const content: Full<InteractionContent> = {
  channel: 'email',
  account: 'care@acme.example',
  externalId: '<canary-external@mail.example>',
  revision: 1,
  kind: 'message',
  conversation: id(3),
  threadId: '<canary-thread@mail.example>',
  direction: 'inbound',
  occurredAt: '2025-03-02T09:15:00.000Z',
  endedAt: '2025-03-02T09:16:00.000Z',
  receivedAt: '2025-03-02T09:16:04.000Z',
  anchor: id(1),
  identities: [identity, { ...identity, identity: id(2), value: 'canary.second@example.com' }],
  name: 'Canary Name',
  agent: 'agent-7',
  subject: 'Canary subject',
  text: 'Canary text with ünïcode',
  html: '<p>Canary html</p>',
  language: 'es-ES',
  outcome: 'canary outcome in words',
  attachments: [
    {
      name: 'canary-file.pdf',
      contentType: 'application/pdf',
      bytes: 471_100_815,
      url: 'https://files.example/canary-url',
      externalId: 'canary-attachment',
    },
  ],
  attributes: { canaryAttribute: 'canary attribute', list: ['canary item'] },
  digest: 'Zm9vYmFyYmF6cXV4MTIzNA',
};

const alias: Full<SenderAliasSeen['data']> = {
  anchor: id(1),
  identities: [identity, { ...identity, identity: id(2), value: 'canary.alias@example.com' }],
  kind: 'message',
  occurredAt: '2025-03-02T09:15:00.000Z',
  name: 'Canary Name',
  digest: 'YWxpYXMxMjM0NTY3ODkwMQ',
};

const profile: Full<ProfileImported['data']> = {
  profile: id(1),
  source: 'crm',
  externalId: 'canary-4711',
  identities: [identity],
  name: 'Canary Full Name',
  givenName: 'Canary Given',
  familyName: 'Canary Family',
  birthDate: '1980-02-29 canary',
  address: 'Canary Street 1',
  attributes: { tier: 'canary gold' },
  consents: { canaryMarketing: false },
  createdAt: '2020-01-01T00:00:00.000Z',
  digest: 'cHJvZmlsZTEyMzQ1Njc4OQ',
};

const decision: Full<LinkConfirmed['data']> = {
  link: id(4),
  rule: 'rules-1',
  by: { agent: 'agent-7' },
  reason: 'canary: the customer said so',
};

const linked: Full<IdentitiesLinked['data']> = {
  ...decision,
  a: id(1),
  b: id(2),
  evidence: 'same-interaction',
  confidence: 0.9,
};

const proposed: Full<LinkProposed['data']> = {
  link: id(4),
  rule: 'rules-1',
  by: { agent: 'agent-7' },
  a: id(1),
  b: id(2),
  reason: 'conflicting-profiles',
  evidence: 'profile-import',
  confidence: 0.9,
};

const retracted: Full<LinkRetracted['data']> = decision;

const viewed: Full<TimelineViewed['data']> = {
  by: 'abcdefgh',
  customer: id(1),
  at: '2025-03-02T09:16:08.000Z',
  saw: ['header', 'timeline'],
  reads: 3,
  reason: 'complaint',
};

const revealed: Full<PersonalDataRevealed['data']> = {
  by: 'user:mika',
  customer: id(1),
  at: '2025-03-02T09:16:10.000Z',
  field: 'identifier',
  identity: id(2),
  reason: 'call-back',
};

const written = {
  conversation: id(3),
  anchor: id(1),
  channel: 'email',
  account: 'care@acme.example',
  by: { agent: 'agent-7' },
  at: '2025-03-02T09:16:12.000Z',
};

const note: Full<NoteAdded['data']> = { ...written, note: id(7), text: 'canary: prefers to be called' };

const commitment: Full<CommitmentMade['data']> = {
  ...written,
  commitment: id(8),
  text: 'canary: call back about the order',
  dueAt: '2025-03-04T09:00:00.000Z',
};

const ended: Full<CommitmentKept['data']> = { ...written, commitment: id(8), reason: 'canary: told on the phone' };

const consent: Full<ConsentRecorded['data']> = {
  identity: id(1),
  purpose: 'marketing',
  channel: 'email',
  granted: false,
  evidence: 'canary: wrote it on the back of a letter',
  until: '2026-03-02T09:16:10.000Z',
  statedAt: '2025-03-02T09:16:10.000Z',
  by: 'user:mika',
};

const preference: Full<PreferenceStated['data']> = {
  identity: id(1),
  channel: 'canary-channel',
  purpose: 'orders',
  withdrawn: true,
  evidence: 'canary: said so in the shop',
  until: '2026-03-02T09:16:10.000Z',
  statedAt: '2025-03-02T09:16:10.000Z',
  by: 'abcdefgh',
};

const asked = {
  erasure: id(5),
  customer: id(1),
  by: 'abcdefgh',
  reason: 'art-17',
  requestedAt: '2025-03-02T09:16:10.000Z',
  contacts: 2,
  events: 4,
  rows: [{ table: 'entry', rows: 2 }],
};

const erasureRequested: Full<ErasureRequested['data']> = {
  ...asked,
  identities: [{ identity: id(1), type: 'email' }],
  links: [id(4)],
  conversations: [id(3)],
};

const identityErased: Full<IdentityErased['data']> = {
  identity: id(1),
  erasure: id(5),
  by: 'abcdefgh',
  reason: 'art-17',
  at: '2025-03-02T09:16:11.000Z',
};

const erasureCompleted: Full<ErasureCompleted['data']> = {
  ...asked,
  completedAt: '2025-03-02T09:16:12.000Z',
  position: 12,
  identities: [{ identity: id(1), type: 'email', keyDestroyed: true }],
  links: 1,
  conversations: 1,
  parked: 1,
  files: ['read-model.db'],
};

const erasDecided: Full<IdentityErasDecided['data']> = {
  identity: id(1),
  former: [{ identity: id(6), until: '2025-07-25' }],
  rule: 'rules-2',
};

/** The fullest example of every event type: every field there is, and a personal one never without a canary. */
export const MAXIMAL: Readonly<Record<string, object>> = {
  InteractionRecorded: content,
  InteractionCorrected: content,
  SenderAliasSeen: alias,
  ProfileImported: profile,
  IdentitiesLinked: linked,
  LinkProposed: proposed,
  LinkConfirmed: decision,
  LinkRejected: decision,
  LinkRetracted: retracted,
  TimelineViewed: viewed,
  PersonalDataRevealed: revealed,
  NoteAdded: note,
  CommitmentMade: commitment,
  CommitmentKept: ended,
  CommitmentWithdrawn: ended,
  ConsentRecorded: consent,
  PreferenceStated: preference,
  ErasureRequested: erasureRequested,
  IdentityErased: identityErased,
  ErasureCompleted: erasureCompleted,
  IdentityErasDecided: erasDecided,
};
