import { Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { InteractionBus, type BusConsumer } from '#libs/bus';
import { CommandsModule } from './commands.module.js';
import { Intake } from './intake/intake.js';
import { IntakeMeasures } from './intake/intake-measures.js';

/** The recorder: takes messages off the bus and appends what the rules decide. */
@Module({
  imports: [CqrsModule.forRoot(), CommandsModule],
  providers: [Intake, IntakeMeasures],
  exports: [Intake],
})
export class RecorderModule implements OnApplicationBootstrap, OnApplicationShutdown {
  private consumer?: BusConsumer;

  constructor(
    @Inject(InteractionBus) private readonly bus: InteractionBus,
    private readonly intake: Intake,
    private readonly measures: IntakeMeasures,
  ) {}

  onApplicationBootstrap(): void {
    this.consumer = this.bus.consume((messages) => this.measures.of(this.intake.handle(messages)));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.consumer?.stop();
  }
}
