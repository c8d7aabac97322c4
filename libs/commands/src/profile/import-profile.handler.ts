import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { profileDecider, type ImportProfile, type ProfileImported } from '#libs/domain';
import { streamId } from '#libs/event-store';
import { CommandRunner, type CommandOrigin, type CommandReceipt } from '../command-runner.js';

export class ImportProfileCommand extends Command<CommandReceipt<ProfileImported>> {
  constructor(
    readonly tenant: string,
    readonly command: ImportProfile,
    readonly origin: CommandOrigin = {},
  ) {
    super();
  }
}

@CommandHandler(ImportProfileCommand)
export class ImportProfileHandler implements ICommandHandler<ImportProfileCommand> {
  constructor(private readonly commands: CommandRunner) {}

  execute({ tenant, command, origin }: ImportProfileCommand): Promise<CommandReceipt<ProfileImported>> {
    return this.commands.run(profileDecider, command, {
      stream: streamId('identity', command.content.profile),
      tenant,
      expectNew: true,
      ...origin,
    });
  }
}
