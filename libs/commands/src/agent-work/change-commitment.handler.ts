import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { commitmentDecider, type CommitmentCommand, type CommitmentEvent } from '#libs/domain';
import { streamId } from '#libs/event-store';
import { CommandRunner, type CommandReceipt } from '../command-runner.js';

/** What an agent says of a promise. */
export class ChangeCommitmentCommand extends Command<CommandReceipt<CommitmentEvent>> {
  constructor(
    readonly tenant: string,
    readonly command: CommitmentCommand,
  ) {
    super();
  }
}

@CommandHandler(ChangeCommitmentCommand)
export class ChangeCommitmentHandler implements ICommandHandler<ChangeCommitmentCommand> {
  constructor(private readonly commands: CommandRunner) {}

  execute({ tenant, command }: ChangeCommitmentCommand): Promise<CommandReceipt<CommitmentEvent>> {
    const isNew = command.type === 'MakeCommitment';
    const id = isNew ? command.content.commitment : command.commitment;
    return this.commands.run(commitmentDecider, command, {
      stream: streamId('commitment', id),
      tenant,
      expectNew: isNew,
    });
  }
}
