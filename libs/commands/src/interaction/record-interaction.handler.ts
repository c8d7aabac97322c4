import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { interactionDecider, type InteractionEvent, type RecordInteraction } from '#libs/domain';
import { streamId } from '#libs/event-store';
import type { Uuid } from '#libs/kernel';
import { CommandRunner, type CommandOrigin, type CommandReceipt } from '../command-runner.js';

export class RecordInteractionCommand extends Command<CommandReceipt<InteractionEvent>> {
  constructor(
    readonly tenant: string,
    readonly interaction: Uuid,
    readonly command: RecordInteraction,
    readonly origin: CommandOrigin = {},
  ) {
    super();
  }
}

@CommandHandler(RecordInteractionCommand)
export class RecordInteractionHandler implements ICommandHandler<RecordInteractionCommand> {
  constructor(private readonly commands: CommandRunner) {}

  execute(given: RecordInteractionCommand): Promise<CommandReceipt<InteractionEvent>> {
    const { tenant, interaction, command, origin } = given;
    return this.commands.run(interactionDecider, command, {
      stream: streamId('interaction', interaction),
      tenant,
      expectNew: true,
      ...origin,
    });
  }
}
