import { describeFailure, failureKindOf, isInvalidPosition, refusedFor } from './failures.js';

const failing = (fields: object): Error => Object.assign(new Error('it failed'), fields);

describe('a failed call', () => {
  it.each([
    ['conflict', { type: 'wrong-expected-version' }],
    ['resend', { type: 'deadline-exceeded', code: 4 }],
    ['resend', { type: 'timeout', code: 10 }],
    ['resend', { type: 'unavailable', code: 14 }],
    ['resend', { type: 'cancelled', code: 1 }],
    ['resend', { type: 'unknown', code: 2 }],
    ['resend', { type: 'not-leader', code: 5 }],
    ['resend', { code: 14 }],
    ['resend', { code: 13 }],
    ['resend', {}],
    ['final', { type: 'stream-deleted', code: 9 }],
    ['final', { type: 'access-denied', code: 7 }],
    ['final', { type: 'access-denied', code: 16 }],
    ['final', { type: 'maximum-append-size-exceeded', code: 3 }],
    ['final', { type: 'invalid-argument' }],
    ['final', { type: 'unknown', code: 3 }],
    ['final', { code: 12 }],
  ])('is a %s with %j', (kind, fields) => {
    expect(failureKindOf(failing(fields))).toBe(kind);
  });

  it('is known by type and code alone: a failure without a message is described by them', () => {
    expect(describeFailure(Object.assign(new Error(''), { type: 'wrong-expected-version' }))).toBe(
      'wrong-expected-version',
    );
    expect(describeFailure(Object.assign(new Error(''), { code: 14 }))).toBe('14');
  });

  it('names why it was refused', () => {
    const codeOf = (fields: object): string => refusedFor('interaction-1', failing(fields)).code;
    expect(codeOf({ type: 'maximum-append-size-exceeded' })).toBe('EVENT_STORE.TOO_LARGE');
    expect(codeOf({ type: 'access-denied' })).toBe('EVENT_STORE.ACCESS_DENIED');
    expect(codeOf({ type: 'stream-deleted' })).toBe('EVENT_STORE.FAILED');
  });

  it('tells a position at which nothing begins from other bad arguments', () => {
    const invalid = Object.assign(new Error('3: Trying to read from an invalid position.'), { code: 3 });
    expect(isInvalidPosition(invalid)).toBe(true);
    expect(isInvalidPosition(failing({ code: 3 }))).toBe(false);
  });
});
