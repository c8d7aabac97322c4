import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';

@Controller()
class EmptyController {
  @Get()
  ready(): { status: string } {
    return { status: 'ok' };
  }
}

@Module({ controllers: [EmptyController] })
class EmptyModule {}

/** The least that a program of this framework loads before it answers. */
const app = await NestFactory.create<NestFastifyApplication>(EmptyModule, new FastifyAdapter(), { logger: false });
process.on('SIGINT', () => void app.close().then(() => process.exit(0)));
await app.listen(0, '127.0.0.1');
process.stdout.write(`listening on ${await app.getUrl()}\n`);
