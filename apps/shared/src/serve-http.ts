import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { httpOptions } from '#libs/access/http-options.js';
import { traceRequests } from '#libs/access/trace-requests.js';
import { registerRawBody } from '#libs/channels/ingest/raw-body.js';
import { hardenHttp, measureHttp, serveDocs } from './http.js';
import { nestLogger } from './nest-logger.js';
import type { HubParts } from './parts.js';

const IDLE_SWEEP_MS = 50;

export interface ServedHttp {
  app: NestFastifyApplication;
  /** As people of this machine write it. */
  url: string;
  /** Takes no request any more, and answers those it has. */
  close(): Promise<void>;
}

/** Puts a program together and listens. */
export const serveHttp = async (
  module: DynamicModule,
  { settings, logger, tracing }: Pick<HubParts, 'settings' | 'logger' | 'tracing'>,
  { docs }: { docs: boolean },
): Promise<ServedHttp> => {
  const adapter = new FastifyAdapter({ ...httpOptions(), return503OnClosing: false });
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: nestLogger(logger),
    bodyParser: false,
    abortOnError: false,
  });
  registerRawBody(adapter.getInstance());
  if (tracing) traceRequests(adapter.getInstance(), tracing);
  let closing = false;
  hardenHttp(app, () => closing);
  measureHttp(app);
  if (docs) serveDocs(app, logger, () => closing);
  const close = async (): Promise<void> => {
    closing = true;
    // A connection that was busy when the close began, and idle since, would be waited for until its client gives up.
    const sweep = setInterval(() => app.getHttpServer().closeIdleConnections(), IDLE_SWEEP_MS);
    await app.close().finally(() => clearInterval(sweep));
  };
  try {
    await app.listen(settings.port, settings.host);
  } catch (error) {
    await close();
    throw error;
  }
  const { port } = app.getHttpServer().address() as { port: number };
  const host = settings.host === '127.0.0.1' || settings.host === '0.0.0.0' ? 'localhost' : settings.host;
  return { app, url: `http://${host}:${port}`, close };
};
