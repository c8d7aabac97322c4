import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { noteDecider, type AddNote, type NoteAdded } from '#libs/domain';
import { streamId } from '#libs/event-store';
import { CommandRunner, type CommandReceipt } from '../command-runner.js';

/** What an agent writes down for colleagues. */
export class AddNoteCommand extends Command<CommandReceipt<NoteAdded>> {
  constructor(
    readonly tenant: string,
    readonly command: AddNote,
  ) {
    super();
  }
}

@CommandHandler(AddNoteCommand)
export class AddNoteHandler implements ICommandHandler<AddNoteCommand> {
  constructor(private readonly commands: CommandRunner) {}

  execute({ tenant, command }: AddNoteCommand): Promise<CommandReceipt<NoteAdded>> {
    const stream = streamId('note', command.content.note);
    return this.commands.run(noteDecider, command, { stream, tenant, expectNew: true });
  }
}
