import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

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

/** The OpenAPI page under `/docs`; the document is put together when somebody asks for it. */
export const serveDocs = (app: NestFastifyApplication, version: string): void => {
  const config = new DocumentBuilder()
    .setTitle('Hilo')
    .setDescription('One customer, one thread, whatever the channel.')
    .setVersion(version)
    .addBearerAuth()
    .build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, config), {
    jsonDocumentUrl: 'docs/openapi.json',
  });
};
