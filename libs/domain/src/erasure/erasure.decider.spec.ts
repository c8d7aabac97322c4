import { specFor } from '#libs/testing';
import { eraseIdentityDecider, erasureDecider } from './erasure.decider.js';
import type { ErasureCompleted, ErasureRequested, IdentityErased } from './erasure.events.js';

const [erasure, customer, identity] = ['e-erasure', 'i-one', 'i-one'];
const asked = { erasure, customer, by: 'key-1', reason: 'art-17', requestedAt: '2025-03-02T09:15:00.000Z' };
const found = { contacts: 3, events: 4, rows: [{ table: 'entry', rows: 3 }] };
const request: ErasureRequested['data'] = {
  ...asked,
  ...found,
  identities: [{ identity, type: 'email' }],
  links: [],
  conversations: [],
};
const certificate: ErasureCompleted['data'] = {
  ...asked,
  ...found,
  completedAt: '2025-03-02T09:15:01.000Z',
  position: 9,
  identities: [{ identity, type: 'email', keyDestroyed: true }],
  links: 0,
  conversations: 0,
  parked: 0,
  files: ['read-model.db'],
};
const requested: ErasureRequested = { type: 'ErasureRequested', data: request };
const completed: ErasureCompleted = { type: 'ErasureCompleted', data: certificate };

describe('an erasure', () => {
  const { given } = specFor(erasureDecider);

  it('is asked for once', () => {
    given([]).when({ type: 'RequestErasure', request }).thenEvents([requested]);
    given([requested]).when({ type: 'RequestErasure', request }).thenNothing();
    given([requested, completed]).when({ type: 'RequestErasure', request }).thenNothing();
  });

  it('is completed once, with the certificate', () => {
    given([requested]).when({ type: 'CompleteErasure', certificate }).thenEvents([completed]);
    given([requested, completed]).when({ type: 'CompleteErasure', certificate }).thenNothing();
  });

  it('that nobody asked for is not completed', () =>
    given([]).when({ type: 'CompleteErasure', certificate }).thenRefused('ERASURE.NOT_FOUND'));
});

describe('an identity', () => {
  const { given } = specFor(eraseIdentityDecider);
  const data: IdentityErased['data'] = {
    identity,
    erasure,
    by: 'key-1',
    reason: 'art-17',
    at: '2025-03-02T09:15:00.000Z',
  };
  const erased: IdentityErased = { type: 'IdentityErased', data };

  it('is erased once', () => {
    given([]).when({ type: 'EraseIdentity', erased: data }).thenEvents([erased]);
    given([erased]).when({ type: 'EraseIdentity', erased: data }).thenNothing();
  });
});
