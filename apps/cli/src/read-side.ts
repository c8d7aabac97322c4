import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CqrsModule, QueryBus } from '@nestjs/cqrs';
import { readAccountsFile } from '#libs/channels/accounts/read-accounts.js';
import { channelAdapters } from '#libs/channels/channels.module.js';
import { EventStore } from '#libs/event-store';
import { pepperFile, pepperOf } from '#libs/event-store/pepper.js';
import { AccountCountries, Clock, IdFactory, SystemClock } from '#libs/kernel';
import { type HubSettings } from '#libs/kernel/settings.js';
import type { SealedEventLog } from '#libs/privacy';
import { ReadModel } from '#libs/projections';
import { openReadModel } from '#libs/projections/read-model/open-read-model.js';
import { CustomerDirectory, IdentityFinder } from '#libs/queries';
import { Moments } from '#libs/queries/as-of/moments.js';
import { CustomerReader } from '#libs/queries/customers/customer-reader.js';
import { FindCustomersHandler } from '#libs/queries/customers/find-customers.handler.js';
import { GetCustomerHandler } from '#libs/queries/customers/get-customer.handler.js';
import { Bodies } from '#libs/queries/interactions/bodies.js';
import { Labels } from '#libs/queries/shared/labels.js';
import { Entries } from '#libs/queries/timeline/entries.js';
import { GetTimelineHandler } from '#libs/queries/timeline/get-timeline.handler.js';
import { isShared, openLog } from './open-data.js';

@Module({})
class ReadSideModule {
  static over(values: Provider[]): DynamicModule {
    return {
      module: ReadSideModule,
      imports: [CqrsModule.forRoot()],
      providers: [
        ...values,
        Bodies,
        CustomerDirectory,
        CustomerReader,
        Entries,
        Labels,
        Moments,
        FindCustomersHandler,
        IdentityFinder,
        GetCustomerHandler,
        GetTimelineHandler,
      ],
    };
  }
}

/** The questions agents ask, over connections that only read: beside a hub that runs or rests. */
export interface ReadSide {
  queries: QueryBus;
  customers: CustomerDirectory;
  log: SealedEventLog;
  close(): Promise<void>;
}

/** @throws HubError when the directory holds no data */
export const openReadSide = async (settings: HubSettings): Promise<ReadSide> => {
  const accounts = readAccountsFile(settings.accountsFile, {
    adapters: channelAdapters(),
    env: process.env,
    defaultCountry: settings.defaultCountry,
  });
  const log = await openLog(settings);
  const readModel = await openReadModel(settings, { readonly: true });
  const app = await NestFactory.createApplicationContext(
    ReadSideModule.over([
      { provide: EventStore, useValue: log },
      { provide: Clock, useValue: new SystemClock() },
      { provide: ReadModel, useValue: readModel },
      { provide: IdFactory, useValue: new IdFactory(pepperFor(settings), log.erased) },
      { provide: AccountCountries, useValue: accounts },
    ]),
    { logger: false, abortOnError: false },
  );
  return {
    queries: app.get(QueryBus),
    customers: app.get(CustomerDirectory),
    log,
    close: async () => {
      await app.close();
      await readModel.close();
      await log.close();
    },
  };
};

const pepperFor = (settings: HubSettings): Buffer =>
  isShared(settings) ? pepperOf(settings.pepper ?? '') : readFileSync(pepperFile(settings.dataDir));
