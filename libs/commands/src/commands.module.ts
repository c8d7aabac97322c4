import { Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { InteractionBus, type BusConsumer } from '#libs/bus';
import { AddNoteHandler } from './agent-work/add-note.handler.js';
import { ChangeCommitmentHandler } from './agent-work/change-commitment.handler.js';
import { CommandRunner } from './command-runner.js';
import { RecordStatementHandler } from './consents/record-statement.handler.js';
import { Intake } from './intake/intake.js';
import { RecordInteractionHandler } from './interaction/record-interaction.handler.js';
import { RuleOnLinkHandler } from './links/rule-on-link.handler.js';
import { ImportProfileHandler } from './profile/import-profile.handler.js';

/** The recorder: takes messages off the bus and appends what the rules decide. */
@Module({
  imports: [CqrsModule.forRoot()],
  providers: [
    CommandRunner,
    Intake,
    RecordInteractionHandler,
    ImportProfileHandler,
    RuleOnLinkHandler,
    AddNoteHandler,
    ChangeCommitmentHandler,
    RecordStatementHandler,
  ],
  exports: [CommandRunner, Intake],
})
export class CommandsModule implements OnApplicationBootstrap, OnApplicationShutdown {
  private consumer?: BusConsumer;

  constructor(
    @Inject(InteractionBus) private readonly bus: InteractionBus,
    private readonly intake: Intake,
  ) {}

  onApplicationBootstrap(): void {
    this.consumer = this.bus.consume((messages) => this.intake.handle(messages));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.consumer?.stop();
  }
}
