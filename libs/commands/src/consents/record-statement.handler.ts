import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { consentDecider, type ConsentCommand, type ConsentEvent } from '#libs/domain';
import { streamId } from '#libs/event-store';
import { CommandRunner, type CommandReceipt } from '../command-runner.js';

/** What a person has said of consents or preferences, to one identity. */
export class RecordStatementCommand extends Command<CommandReceipt<ConsentEvent>> {
  constructor(
    readonly tenant: string,
    readonly command: ConsentCommand,
  ) {
    super();
  }
}

@CommandHandler(RecordStatementCommand)
export class RecordStatementHandler implements ICommandHandler<RecordStatementCommand> {
  constructor(private readonly commands: CommandRunner) {}

  execute({ tenant, command }: RecordStatementCommand): Promise<CommandReceipt<ConsentEvent>> {
    const stream = streamId('consent', command.statement.identity);
    return this.commands.run(consentDecider, command, { stream, tenant });
  }
}
