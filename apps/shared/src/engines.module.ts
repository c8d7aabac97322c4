import { Module, type DynamicModule, type InjectionToken, type Provider } from '@nestjs/common';
import { InteractionBus } from '#libs/bus';
import { ParkDelivery } from '#libs/channels';
import { IDENTITY_RULES } from '#libs/commands/identity-rules/identity-rules.token.js';
import { DeliveryLedger, EventStore, ParkedMessages } from '#libs/event-store';
import { AccountCountries, Clock, IdFactory } from '#libs/kernel';
import { HubSettings } from '#libs/kernel/settings.js';
import { Tracing } from '#libs/kernel/tracing/tracing.port.js';
import { KeyVault } from '#libs/privacy';
import { ProjectionProgress, ReadModel } from '#libs/projections';
import { WaitingReceipts } from '#libs/queries';
import type { BesideLog } from './open-cluster.js';
import type { ProgramParts } from './parts.js';

/** Whoever guards routes is no matter of engines. */
type EngineParts = Omit<ProgramParts<BesideLog & { events?: EventStore }>, 'keys' | 'tokens'> & {
  /** Of whoever has no bus and answers for what waits on it. */
  waiting?: WaitingReceipts;
};

/** Offers everywhere what a program has opened; what it lacks is missed by nobody it consists of. */
@Module({})
export class EnginesModule {
  static register(parts: EngineParts): DynamicModule {
    const { bus, waiting = bus, readModel, progress, rules } = parts;
    const providers: Provider[] = [
      { provide: HubSettings, useValue: parts.settings },
      { provide: Clock, useValue: parts.clock },
      { provide: IdFactory, useValue: parts.log.ids },
      { provide: ParkedMessages, useValue: parts.log.parked },
      { provide: KeyVault, useValue: parts.log.vault },
      { provide: DeliveryLedger, useValue: parts.log.ledger },
      { provide: AccountCountries, useValue: parts.accounts },
      { provide: ParkDelivery, useValue: parkDelivery(parts) },
      ...offered(EventStore, parts.log.events),
      ...offered(InteractionBus, bus),
      ...offered(WaitingReceipts, waiting),
      ...offered(ReadModel, readModel),
      ...offered(ProjectionProgress, progress),
      ...offered(IDENTITY_RULES, rules),
      ...offered(Tracing, parts.tracing),
    ];
    return { module: EnginesModule, global: true, providers, exports: providers };
  }
}

const offered = (provide: InjectionToken, useValue: unknown): Provider[] =>
  useValue === undefined ? [] : [{ provide, useValue }];

// What a channel could not read counts as taken and parked, whatever door it came through.
const parkDelivery = ({ log }: EngineParts): ParkDelivery => ({
  park: async ({ stage: _stage, ...message }) => {
    const id = await log.parked.park({ ...message, stage: 'parse' });
    log.ledger.count(message, 'parked');
    await log.ledger.flush();
    return id;
  },
});
