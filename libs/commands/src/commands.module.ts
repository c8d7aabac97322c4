import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { AddNoteHandler } from './agent-work/add-note.handler.js';
import { ChangeCommitmentHandler } from './agent-work/change-commitment.handler.js';
import { CommandRunner } from './command-runner.js';
import { RecordStatementHandler } from './consents/record-statement.handler.js';
import { RecordInteractionHandler } from './interaction/record-interaction.handler.js';
import { RuleOnLinkHandler } from './links/rule-on-link.handler.js';
import { ImportProfileHandler } from './profile/import-profile.handler.js';

/** What carries out commands, whoever gives them. */
@Module({
  imports: [CqrsModule.forRoot()],
  providers: [
    CommandRunner,
    RecordInteractionHandler,
    ImportProfileHandler,
    RuleOnLinkHandler,
    AddNoteHandler,
    ChangeCommitmentHandler,
    RecordStatementHandler,
  ],
  exports: [CommandRunner],
})
export class CommandsModule {}
