import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { linkDecider, type LinkCommand, type LinkEvent } from '#libs/domain';
import { streamId } from '#libs/event-store';
import { CommandRunner, type CommandReceipt } from '../command-runner.js';

/** What an agent says of two identities. */
export class RuleOnLinkCommand extends Command<CommandReceipt<LinkEvent>> {
  constructor(
    readonly tenant: string,
    readonly command: LinkCommand,
  ) {
    super();
  }
}

@CommandHandler(RuleOnLinkCommand)
export class RuleOnLinkHandler implements ICommandHandler<RuleOnLinkCommand> {
  constructor(private readonly commands: CommandRunner) {}

  execute({ tenant, command }: RuleOnLinkCommand): Promise<CommandReceipt<LinkEvent>> {
    return this.commands.run(linkDecider, command, { stream: streamId('link', command.link), tenant });
  }
}
