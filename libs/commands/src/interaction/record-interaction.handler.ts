import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { interactionDecider, type InteractionEvent, type RecordInteraction } from '#libs/domain';
import { streamId } from '#libs/event-store';
import type { Uuid } from '#libs/kernel';
import type { Traceparent } from '#libs/kernel/tracing/tracing.port.js';
import { CommandRunner, type CommandReceipt } from '../command-runner.js';

export class RecordInteractionCommand extends Command<CommandReceipt<InteractionEvent>> {
  constructor(
    readonly tenant: string,
    readonly interaction: Uuid,
    readonly command: RecordInteraction,
    /** Names the delivery, where it may be handed over again. */
    readonly commandId?: Uuid,
    readonly traceparent?: Traceparent,
  ) {
    super();
  }
}

@CommandHandler(RecordInteractionCommand)
export class RecordInteractionHandler implements ICommandHandler<RecordInteractionCommand> {
  constructor(private readonly commands: CommandRunner) {}

  execute(given: RecordInteractionCommand): Promise<CommandReceipt<InteractionEvent>> {
    const { tenant, interaction, command, commandId, traceparent } = given;
    return this.commands.run(interactionDecider, command, {
      stream: streamId('interaction', interaction),
      tenant,
      expectNew: true,
      ...(commandId !== undefined && { commandId }),
      traceparent,
    });
  }
}
