import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { httpOptions } from '#libs/access/http-options.js';
import { ProblemFilter } from '#libs/access/problem.filter.js';
import { loadSwagger } from '#libs/kernel/api-docs.js';
import type { Logger } from '#libs/kernel/logging.js';
import { durations } from '#libs/kernel/measures.js';
import { VERSION } from './version.js';

/** Headers on every answer: nothing of it may be cached, framed or guessed at. */
const HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
} as const;

/** Sets them, and once `closing` says so asks every client to hang up after its answer. */
export const hardenHttp = (app: NestFastifyApplication, closing: () => boolean): void => {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onSend', (_request, reply, payload, done) => {
      for (const [name, value] of Object.entries(HEADERS)) void reply.header(name, value);
      if (closing()) void reply.header('connection', 'close');
      if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store');
      done(null, payload);
    });
};

/** Counts and times every answer, by route as it was declared: addresses hold ids. */
export const measureHttp = (app: NestFastifyApplication): void => {
  const seconds = durations('hilo_http_request_seconds', 'Time until a request was answered', [
    'method',
    'route',
    'status',
  ]);
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onResponse', (request, reply, done) => {
      const labels = { method: request.method, route: request.routeOptions.url ?? 'none', status: reply.statusCode };
      seconds.observe(labels, reply.elapsedTime / 1000);
      done();
    });
};

@Module({})
class DocsModule {
  static register(logger: Logger): DynamicModule {
    return {
      module: DocsModule,
      providers: [{ provide: APP_FILTER, useFactory: () => new ProblemFilter(logger) }],
    };
  }
}

/**
 * The OpenAPI page under `/docs`. An application of its own answers there: it is put together when somebody asks for the
 * page, and what it loads would otherwise be a third of the hub's start.
 */
export const serveDocs = (app: NestFastifyApplication, logger: Logger, closing: () => boolean): void => {
  let pages: Promise<FastifyInstance> | undefined;
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const docs = await (pages ??= openDocs(app, logger, closing));
    reply.hijack();
    docs.routing(request.raw, reply.raw);
  };
  for (const url of ['/docs', '/docs/*', '/docs-yaml']) app.getHttpAdapter().getInstance().get(url, answer);
};

const openDocs = async (
  app: NestFastifyApplication,
  logger: Logger,
  closing: () => boolean,
): Promise<FastifyInstance> => {
  const { DocumentBuilder, SwaggerModule } = await loadSwagger();
  const docs = await NestFactory.create<NestFastifyApplication>(
    DocsModule.register(logger),
    new FastifyAdapter({ ...httpOptions() }),
    { bodyParser: false, abortOnError: false },
  );
  hardenHttp(docs, closing);
  const config = new DocumentBuilder()
    .setTitle('Hilo')
    .setDescription('One customer, one thread, whatever the channel.')
    .setVersion(VERSION)
    .addBearerAuth()
    .build();
  SwaggerModule.setup('docs', docs, () => SwaggerModule.createDocument(app, config), {
    jsonDocumentUrl: 'docs/openapi.json',
  });
  await docs.init();
  const instance: FastifyInstance = docs.getHttpAdapter().getInstance();
  await instance.ready();
  return instance;
};
