import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { codeOf, messageOf, type Logger } from '#libs/kernel';
import { problemOf, type ProblemDetails } from './problem.js';

/** The part of a Fastify reply that an answer needs. */
export interface ProblemReply {
  sent: boolean;
  raw: { headersSent: boolean; destroy(): unknown };
  code(status: number): unknown;
  headers(values: Record<string, string>): unknown;
  send(body: string): unknown;
}

/** Answers every failure of every controller as problem details, and logs those that are the hub's own fault. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.getArgByIndex<{ id?: unknown }>(0);
    const reply = host.getArgByIndex<ProblemReply>(1);
    const instance = typeof request.id === 'string' ? request.id : undefined;
    const { details, headers } = problemOf(error, instance);
    if (details.status >= 500) {
      const facts = { instance, code: codeOf(error) ?? details.code };
      // Something overloaded says so a thousand times a second: no stack for that.
      if (details.status === 503) this.logger.warn({ ...facts, reason: messageOf(error) }, 'request refused');
      else this.logger.error({ ...facts, err: error }, 'request failed');
    }
    if (reply.sent || reply.raw.headersSent) {
      // A stream that has begun cannot turn into an answer; cut it, so that the client does not take it for complete.
      reply.raw.destroy();
      return;
    }
    answer(reply, details, headers);
  }
}

const answer = (reply: ProblemReply, details: ProblemDetails, headers: Record<string, string>): void => {
  reply.code(details.status);
  reply.headers({ ...headers, 'content-type': 'application/problem+json' });
  reply.send(JSON.stringify(details));
};

/** Answers what Fastify's router refuses before any controller or filter is asked: an address that is no URL. */
export const answerFrameworkError = (error: unknown, request: { id?: unknown }, reply: ProblemReply): void => {
  const { details, headers } = problemOf(error, typeof request.id === 'string' ? request.id : undefined);
  answer(reply, details, headers);
};
