import { BadRequestException, NotFoundException } from '@nestjs/common';
import { HubError } from '#libs/kernel';
import { ProblemError, problemOf } from './problem.js';

describe('problemOf', () => {
  it.each([
    ['ACCESS.UNAUTHENTICATED', 401],
    ['ACCESS.FORBIDDEN', 403],
    ['ACCESS.RATE_LIMITED', 429],
    ['QUERY.INVALID', 400],
    ['INGEST.INVALID', 422],
    ['INGEST.TOO_MANY', 413],
    ['INGEST.UNSUPPORTED_TYPE', 415],
    ['REQUEST.NOT_JSON', 400],
    ['BUS.FULL', 503],
    ['EVENT_STORE.UNAVAILABLE', 503],
    ['EVENT_STORE.VERSION_CONFLICT', 409],
    ['CUSTOMER.NOT_FOUND', 404],
    ['KERNEL.UNHEARD_OF', 500],
  ])('answers %s with %i', (code, status) => {
    expect(problemOf(new HubError(code, 'why')).details.status).toBe(status);
  });

  it('asks for a second try where trying again helps', () => {
    expect(problemOf(new HubError('BUS.FULL', 'full')).headers['retry-after']).toBe('1');
    expect(problemOf(new HubError('X.Y', 'later', { retryable: true })).details.status).toBe(503);
    const limited = new ProblemError('ACCESS.RATE_LIMITED', 'slow down', { retryAfterSeconds: 7 });
    expect(problemOf(limited).headers['retry-after']).toBe('7');
  });

  it('says of what cannot be done now what was written for the caller, and nothing else', () => {
    const detail = (error: Error) => problemOf(error).details.detail;
    expect(detail(new ProblemError('X.Y', 'ask again', { retryable: true }))).toBe('ask again');
    expect(detail(new HubError('X.Y', 'esdb://user:password@host', { retryable: true }))).not.toContain('esdb');
  });

  it('says nothing of an unexpected error', () => {
    const { details } = problemOf(new TypeError('libsql: cannot read ana@example.com'), 'req-1');
    expect(details).toEqual({
      type: 'urn:hilo:problem:internal',
      title: 'Something went wrong here',
      status: 500,
      code: 'INTERNAL',
      detail: 'the hub failed; quote the instance when you report it',
      instance: 'req-1',
    });
  });

  it('makes a missing route, an unknown id and a stranger\u2019s id look alike', () => {
    const route = problemOf(new NotFoundException('Cannot GET /v1/nothing'));
    expect(problemOf(new HubError('CUSTOMER.NOT_FOUND', 'no customer 42'))).toEqual(route);
    expect(route.details.detail).toBe('there is nothing at this address');
  });

  it('lists what Nest found wrong', () => {
    const { details } = problemOf(new BadRequestException(['limit must not be greater than 100']));
    expect(details).toMatchObject({
      status: 400,
      code: 'REQUEST.INVALID',
      errors: [{ path: '$', message: 'limit must not be greater than 100' }],
    });
  });
});
