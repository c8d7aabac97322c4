import type { ICommand } from '@nestjs/cqrs';
import { CommandBus } from '@nestjs/cqrs';
import type { BusMessage } from '#libs/bus';
import { DEFAULT_RULES } from '#libs/domain';
import type { DeliveryLedger, EventStore, ParkedMessages } from '#libs/event-store';
import { SystemClock, type IdFactory, type InboundInteraction } from '#libs/kernel';
import { inboundInteraction } from '#libs/testing';
import { CommandRunner } from '../command-runner.js';
import { RecordInteractionCommand, RecordInteractionHandler } from '../interaction/record-interaction.handler.js';
import { ImportProfileHandler, type ImportProfileCommand } from '../profile/import-profile.handler.js';
import { Intake } from './intake.js';

/** The recorder's intake over a store, without its doors. */
export const intakeOver = (set: {
  events: EventStore;
  parked: ParkedMessages;
  ledger: DeliveryLedger;
  ids: IdFactory;
}): Intake => {
  const runner = new CommandRunner(set.events);
  const [contacts, profiles] = [new RecordInteractionHandler(runner), new ImportProfileHandler(runner)];
  const execute = (command: ICommand) =>
    command instanceof RecordInteractionCommand
      ? contacts.execute(command)
      : profiles.execute(command as ImportProfileCommand);
  const commands: CommandBus = Object.assign(Object.create(CommandBus.prototype) as CommandBus, { execute });
  const nowhere = { countryOf: () => undefined };
  return new Intake(commands, set.ids, nowhere, set.parked, set.ledger, new SystemClock(), DEFAULT_RULES);
};

/** A delivery of a contact as a bus hands it over. */
export const deliveryOf = (ids: IdFactory, over: Partial<InboundInteraction> = {}, delivery?: string): BusMessage => {
  const interaction = inboundInteraction(over);
  const { tenant, channel, account, externalId } = interaction;
  return {
    type: 'interaction',
    receipt: ids.interaction(tenant, channel, account, externalId),
    interaction,
    ...(delivery !== undefined && { delivery }),
  };
};
