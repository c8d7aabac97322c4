import { InteractionBus, type BusConsumer, type BusMessage, type DeliveryOutcome } from '#libs/bus';
import { FixedClock, HubError, IdFactory, type InboundInteraction } from '#libs/kernel';
import { DeclaredAccountDirectory } from '../accounts/declared.account-directory.js';
import type { SmtpDeclaration } from '../accounts/accounts.config.js';
import { receivedAtMs } from '../channel-adapter.contract.js';
import type { ChannelAccount } from '../channel-adapter.port.js';
import { channelAdapters } from '../channels.module.js';
import { DeliveryCounters } from './delivery-counters.js';
import { DeliveryIntake } from './delivery-intake.js';
import { InteractionPublisher } from './interaction-publisher.js';
import { ParkDelivery, type UndeliverableBytes } from './park-delivery.port.js';
import { Undeliverable } from './undeliverable.js';

/** A bus that keeps what it is given, or refuses for as long as `failure` says. */
export class RecordingBus extends InteractionBus {
  readonly messages: BusMessage[] = [];
  failure: HubError | undefined;

  publish(messages: readonly BusMessage[]): Promise<DeliveryOutcome[]> {
    if (this.failure) return Promise.reject(this.failure);
    this.messages.push(...messages);
    return Promise.resolve(messages.map(({ receipt }) => ({ status: 'recorded', receipt })));
  }

  interactions(): InboundInteraction[] {
    return this.messages.flatMap((message) => (message.type === 'interaction' ? [message.interaction] : []));
  }

  consume(): BusConsumer {
    throw new HubError('TEST.UNUSED', 'nobody consumes in these tests');
  }

  inFlight(): number {
    return 0;
  }

  backlog(): Promise<number> {
    return Promise.resolve(0);
  }

  waitingFor(): undefined {
    return undefined;
  }

  handledSoFar(): Promise<boolean> {
    return Promise.resolve(true);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

export const busFull = (): HubError => new HubError('BUS.FULL', 'the bus is full', { retryable: true });

/** The edge around a recording bus: what the tests of doors and listeners share. */
export const recordingEdge = (accounts: readonly ChannelAccount[], smtp?: SmtpDeclaration) => {
  const bus = new RecordingBus();
  const parked: UndeliverableBytes[] = [];
  class Parking extends ParkDelivery {
    park(message: UndeliverableBytes): Promise<string> {
      parked.push(message);
      return Promise.resolve(`parked-${parked.length}`);
    }
  }
  const clock = new FixedClock(receivedAtMs);
  const counters = new DeliveryCounters();
  const undeliverable = new Undeliverable(new Parking(), counters);
  const publisher = new InteractionPublisher(bus, new IdFactory(Buffer.alloc(32)), undeliverable, counters);
  const adapters = channelAdapters();
  const intake = new DeliveryIntake(adapters, publisher, undeliverable, counters, clock);
  return {
    bus,
    parked,
    clock,
    counters,
    undeliverable,
    publisher,
    intake,
    directory: new DeclaredAccountDirectory(accounts, {}, undefined, smtp),
  };
};
