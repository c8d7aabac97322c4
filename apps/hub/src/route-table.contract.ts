import type { Role } from '#libs/access';

/** What ids are ids of. */
export type Kind =
  | 'customer'
  | 'interaction'
  | 'conversation'
  | 'receipt'
  | 'link'
  | 'toConfirm'
  | 'toReject'
  | 'toKeep'
  | 'toWithdraw'
  | 'toErase'
  | 'erasure';

/** What one route asks for and answers. */
export interface Route {
  /** Who may; admins always. `open`: everybody, by another proof or none. */
  who: readonly Role[] | 'open';
  /** Where the id of something stands, and what it is an id of. */
  id?: Kind;
  url: (id: string) => string;
  body?: object;
  status?: number;
}

export const CONTACT = {
  channel: 'email',
  account: 'care@acme.example',
  externalId: 'posted-by-the-table',
  kind: 'message',
  occurredAt: '2025-03-02T09:15:00Z',
};
export const PAIR = ['email:lucia.canary@example.com', 'phone:+34600998877'];
const READERS = ['agent', 'supervisor', 'analyst'] as const;
const SEGMENT = ['track', 't', 'identify', 'i', 'page', 'p', 'screen', 's', 'group', 'g', 'alias', 'a', 'batch', 'b'];
const open = (url: string): Route => ({ who: 'open', url: () => url });

/** Every route of the hub. One that is missing here fails the first test, so that nobody forgets to think of it. */
export const TABLE: Readonly<Record<string, Route>> = {
  'POST /v1/interactions': { who: ['integration'], url: () => '/v1/interactions', body: CONTACT, status: 202 },
  'POST /v1/profiles': {
    who: ['integration'],
    url: () => '/v1/profiles',
    body: { source: 'crm', externalId: '1' },
    status: 202,
  },
  'GET /v1/customers': { who: READERS, url: () => '/v1/customers?identifier=email:lucia.canary@example.com' },
  'GET /v1/customers/:id': { who: READERS, id: 'customer', url: (id) => `/v1/customers/${id}` },
  'GET /v1/customers/:id/timeline': {
    who: READERS,
    id: 'customer',
    url: (id) => `/v1/customers/${id}/timeline?include=body`,
  },
  'GET /v1/customers/:id/timeline/stream': {
    who: ['agent', 'supervisor'],
    id: 'customer',
    url: (id) => `/v1/customers/${id}/timeline/stream`,
  },
  'POST /v1/customers/:id/reveal': {
    who: READERS,
    id: 'customer',
    url: (id) => `/v1/customers/${id}/reveal`,
    body: { field: 'name', reason: 'call-back' },
  },
  'GET /v1/customers/:id/access-log': {
    who: ['supervisor'],
    id: 'customer',
    url: (id) => `/v1/customers/${id}/access-log`,
  },
  'GET /v1/customers/:id/data': { who: ['supervisor'], id: 'customer', url: (id) => `/v1/customers/${id}/data` },
  'POST /v1/customers/:id/consents': {
    who: ['integration', 'agent', 'supervisor'],
    id: 'customer',
    url: (id) => `/v1/customers/${id}/consents`,
    body: { purpose: 'surveys', channel: 'sms', granted: true, evidence: 'told parrot feather on the phone' },
  },
  'POST /v1/customers/:id/preferences': {
    who: ['integration', 'agent', 'supervisor'],
    id: 'customer',
    url: (id) => `/v1/customers/${id}/preferences`,
    body: { channel: 'email', evidence: 'told parrot feather on the phone' },
  },
  'GET /v1/customers/:id/identities': {
    who: READERS,
    id: 'customer',
    url: (id) => `/v1/customers/${id}/identities`,
  },
  'GET /v1/link-proposals': { who: ['agent', 'supervisor'], url: () => '/v1/link-proposals' },
  'POST /v1/links/preview': { who: ['supervisor'], url: () => '/v1/links/preview', body: { link: PAIR } },
  'POST /v1/links': {
    who: ['supervisor'],
    url: () => '/v1/links',
    body: { identities: PAIR, reason: 'both are hers' },
  },
  'POST /v1/links/:id/retract': {
    who: ['supervisor'],
    id: 'link',
    url: (id) => `/v1/links/${id}/retract`,
    body: { reason: 'two people' },
  },
  'POST /v1/link-proposals/:id/confirm': {
    who: ['supervisor'],
    id: 'toConfirm',
    url: (id) => `/v1/link-proposals/${id}/confirm`,
    body: {},
  },
  'POST /v1/link-proposals/:id/reject': {
    who: ['supervisor'],
    id: 'toReject',
    url: (id) => `/v1/link-proposals/${id}/reject`,
    body: {},
  },
  'GET /v1/interactions/:id': { who: READERS, id: 'interaction', url: (id) => `/v1/interactions/${id}` },
  'GET /v1/conversations/:id': {
    who: READERS,
    id: 'conversation',
    url: (id) => `/v1/conversations/${id}?include=body`,
  },
  'POST /v1/conversations/:id/notes': {
    who: ['agent', 'supervisor'],
    id: 'conversation',
    url: (id) => `/v1/conversations/${id}/notes`,
    body: { text: 'written by the table' },
    status: 201,
  },
  'POST /v1/conversations/:id/commitments': {
    who: ['agent', 'supervisor'],
    id: 'conversation',
    url: (id) => `/v1/conversations/${id}/commitments`,
    body: { text: 'promised by the table', dueAt: '2026-03-02T09:15:00Z' },
    status: 201,
  },
  'POST /v1/commitments/:id/keep': {
    who: ['agent', 'supervisor'],
    id: 'toKeep',
    url: (id) => `/v1/commitments/${id}/keep`,
    body: {},
  },
  'POST /v1/commitments/:id/withdraw': {
    who: ['agent', 'supervisor'],
    id: 'toWithdraw',
    url: (id) => `/v1/commitments/${id}/withdraw`,
    body: { reason: 'the table says so' },
  },
  'GET /v1/receipts/:receipt': {
    who: ['integration', ...READERS],
    id: 'receipt',
    url: (id) => `/v1/receipts/${id}`,
  },
  'GET /v1/history/events': {
    who: ['analyst'],
    id: 'customer',
    url: (id) => `/v1/history/events?customer=${id}`,
  },
  'POST /v1/customers/:id/erase': {
    who: ['supervisor'],
    id: 'toErase',
    url: (id) => `/v1/customers/${id}/erase`,
    body: { reason: 'art-17' },
  },
  'GET /v1/erasures/:id': { who: ['supervisor'], id: 'erasure', url: (id) => `/v1/erasures/${id}` },
  'GET /livez': open('/livez'),
  'GET /readyz': open('/readyz'),
  'GET /metrics': open('/metrics'),
  'GET /docs': open('/docs'),
  'GET /docs/*': open('/docs/openapi.json'),
  'GET /docs-yaml': open('/docs-yaml'),
  'ALL /v1/webhooks/:account': open('/v1/webhooks/nobody'),
  'ALL /v1/forms/:account': open('/v1/forms/nobody'),
  'GET /v1/projects/:writeKey/settings': open('/v1/projects/nobody/settings'),
  ...Object.fromEntries(
    SEGMENT.flatMap((path) => [
      [`POST /v1/${path}`, open(`/v1/${path}`)],
      [`OPTIONS /v1/${path}`, open(`/v1/${path}`)],
    ]),
  ),
};
