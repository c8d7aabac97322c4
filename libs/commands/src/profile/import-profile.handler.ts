import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { profileDecider, type ImportProfile, type ProfileImported } from '#libs/domain';
import { streamId } from '#libs/event-store';
import type { Uuid } from '#libs/kernel';
import type { Traceparent } from '#libs/kernel/tracing/tracing.port.js';
import { CommandRunner, type CommandReceipt } from '../command-runner.js';

export class ImportProfileCommand extends Command<CommandReceipt<ProfileImported>> {
  constructor(
    readonly tenant: string,
    readonly command: ImportProfile,
    /** Names the delivery, where it may be handed over again. */
    readonly commandId?: Uuid,
    readonly traceparent?: Traceparent,
  ) {
    super();
  }
}

@CommandHandler(ImportProfileCommand)
export class ImportProfileHandler implements ICommandHandler<ImportProfileCommand> {
  constructor(private readonly commands: CommandRunner) {}

  execute(given: ImportProfileCommand): Promise<CommandReceipt<ProfileImported>> {
    const { tenant, command, commandId, traceparent } = given;
    return this.commands.run(profileDecider, command, {
      stream: streamId('identity', command.content.profile),
      tenant,
      expectNew: true,
      ...(commandId !== undefined && { commandId }),
      traceparent,
    });
  }
}
