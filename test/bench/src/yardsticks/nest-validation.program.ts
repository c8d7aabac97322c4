import 'reflect-metadata';
import { Body, Controller, Get, HttpCode, Module, Post, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Type } from 'class-transformer';
import { IsArray, IsIn, IsISO8601, IsOptional, IsString, MaxLength, ValidateNested } from 'class-validator';

class IdentifierDto {
  @IsString()
  @MaxLength(32)
  type!: string;

  @IsString()
  @MaxLength(500)
  value!: string;
}

class CustomerDto {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => IdentifierDto)
  identifiers!: IdentifierDto[];

  @IsOptional()
  @IsString()
  name?: string;
}

class ContactDto {
  @IsString()
  @MaxLength(32)
  channel!: string;

  @IsString()
  @MaxLength(200)
  account!: string;

  @IsString()
  @MaxLength(500)
  externalId!: string;

  @IsIn(['message', 'call', 'visit', 'order', 'case', 'feedback', 'status', 'identify'])
  kind!: string;

  @IsOptional()
  @IsString()
  threadId?: string;

  @IsIn(['inbound', 'outbound', 'internal'])
  direction!: string;

  @IsISO8601()
  occurredAt!: string;

  @ValidateNested()
  @Type(() => CustomerDto)
  customer!: CustomerDto;

  @IsOptional()
  @IsString()
  subject?: string;

  @IsOptional()
  @IsString()
  agent?: string;

  @IsOptional()
  @IsString()
  text?: string;
}

@Controller()
class ContactsController {
  @Get()
  ready(): { status: string } {
    return { status: 'ok' };
  }

  @Post()
  @HttpCode(202)
  take(@Body() contact: ContactDto): { taken: boolean } {
    return { taken: contact instanceof ContactDto };
  }
}

@Module({ controllers: [ContactsController] })
class ContactsModule {}

/** Validates a contact as the framework does it, and does nothing with it. */
const app = await NestFactory.create<NestFastifyApplication>(ContactsModule, new FastifyAdapter(), { logger: false });
app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true }));
process.on('SIGINT', () => void app.close().then(() => process.exit(0)));
await app.listen(0, '127.0.0.1');
process.stdout.write(`listening on ${await app.getUrl()}\n`);
