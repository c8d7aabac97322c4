import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { codeOf, messageOf } from '#libs/kernel';
import { type Logger } from '#libs/kernel/logging.js';
import { problemOf } from './problem.js';

interface ProblemReply {
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
    reply.code(details.status);
    reply.headers({ ...headers, 'content-type': 'application/problem+json' });
    reply.send(JSON.stringify(details));
  }
}

/** The part of a Fastify reply that is there before a route is found. */
export interface EarlyReply {
  hijack(): unknown;
  raw: { writeHead(status: number, headers: Record<string, string>): unknown; end(body: string): unknown };
}

/** Answers what Fastify's router refuses before any controller or filter is asked: an address that is no URL. */
export const answerFrameworkError = (error: unknown, request: { id?: unknown }, reply: EarlyReply): void => {
  const { details, headers } = problemOf(error, typeof request.id === 'string' ? request.id : undefined);
  reply.hijack();
  reply.raw.writeHead(details.status, { ...headers, 'content-type': 'application/problem+json' });
  reply.raw.end(JSON.stringify(details));
};
