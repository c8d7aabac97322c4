import type { FastifyInstance, FastifyRequest } from 'fastify';
import { readTraceparent, type TraceSpan, type Tracing } from '#libs/kernel/tracing/tracing.port.js';

/** What supervisors of processes ask every few seconds. */
const UNTRACED = new Set(['/livez', '/readyz', '/metrics']);

/**
 * A span for every request, under that of its `traceparent` header. It names the route, never the address: ids and
 * identifiers are in that.
 */
export const traceRequests = (fastify: FastifyInstance, tracing: Tracing): void => {
  const spans = new WeakMap<FastifyRequest, TraceSpan>();
  fastify.addHook('onRequest', (request, _reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    if (!UNTRACED.has(route)) {
      const span = tracing.start(`${request.method} ${route}`, {
        kind: 'server',
        parent: readTraceparent(request.headers.traceparent),
        attributes: { 'http.request.method': request.method, 'http.route': route },
      });
      spans.set(request, span);
    }
    done();
  });
  // Once the body is there: its events come from outside of any request.
  fastify.addHook('preHandler', (request, _reply, done) => {
    const span = spans.get(request);
    if (span) tracing.within(span, done);
    else done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const span = spans.get(request);
    span?.set('http.response.status_code', reply.statusCode);
    span?.end(reply.statusCode >= 500 ? { code: String(reply.statusCode) } : undefined);
    done();
  });
};
