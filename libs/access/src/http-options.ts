import { randomUUID } from 'node:crypto';
import { LIMITS } from '#libs/kernel';
import { answerFrameworkError } from './problem.filter.js';

/**
 * What every HTTP program of the hub gives to its `FastifyAdapter`: names for requests that tell failures apart for
 * ever, time and size limits, and problem details also for what the router refuses.
 */
export const httpOptions = () => ({
  genReqId: () => randomUUID(),
  /** Bytes of a body. */
  bodyLimit: LIMITS.batchBytes,
  /** Time to receive one whole request; says nothing of how long an answer may stream. */
  requestTimeout: 30_000,
  keepAliveTimeout: 72_000,
  routerOptions: { maxParamLength: 500 },
  frameworkErrors: answerFrameworkError,
});
