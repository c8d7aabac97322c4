import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { toCloudEvent, type BusMessage, type DeliveryOutcome } from '#libs/bus';
import type { DomainEvent, IdentityRules } from '#libs/domain';
import { DeliveryLedger, ParkedMessages, type DeliveryAccount } from '#libs/event-store';
import { AccountCountries, Clock, HubError, IdFactory, codeOf, isRetryable, messageOf, type Uuid } from '#libs/kernel';
import type { CommandOrigin, CommandReceipt } from '../command-runner.js';
import { IDENTITY_RULES } from '../identity-rules/identity-rules.token.js';
import { RecordInteractionCommand } from '../interaction/record-interaction.handler.js';
import { ImportProfileCommand } from '../profile/import-profile.handler.js';
import { ContentReader } from './content.js';
import { RefusedDeliveries } from './refused-deliveries.js';

const MAX_ATTEMPTS = 5;

/** Turns each bus message into one command and its result into one outcome; alone in acting on outcomes. */
@Injectable()
export class Intake {
  private readonly contents: ContentReader;
  private readonly refused = new RefusedDeliveries();

  constructor(
    private readonly commands: CommandBus,
    private readonly ids: IdFactory,
    countries: AccountCountries,
    private readonly parked: ParkedMessages,
    private readonly ledger: DeliveryLedger,
    private readonly clock: Clock,
    @Inject(IDENTITY_RULES) rules: IdentityRules,
  ) {
    this.contents = new ContentReader(ids, countries, rules);
  }

  /**
   * One outcome per message, durable when this resolves. What cannot be recorded for good is parked with its bytes;
   * a failure that may pass rejects the whole batch. A delivery that comes again after that is the same delivery: what was
   * recorded of it meanwhile is answered as recorded, and is no duplicate.
   */
  async handle(messages: readonly BusMessage[]): Promise<DeliveryOutcome[]> {
    const commandIds = messages.map((message) => this.commandIdOf(message));
    try {
      const outcomes = await this.deliverAll(messages, commandIds);
      await this.count(messages, commandIds, outcomes);
      return outcomes;
    } catch (error) {
      messages.forEach((message, index) => {
        if (message.delivery === undefined) this.refused.add(this.nameOf(message), commandIds[index]!);
      });
      throw error;
    }
  }

  private deliverAll(messages: readonly BusMessage[], commandIds: readonly Uuid[]): Promise<DeliveryOutcome[]> {
    const running = new Map<string, Promise<DeliveryOutcome>>();
    return settleAll(
      messages.map((message, index) => {
        const deliver = () => this.deliver(message, commandIds[index]!);
        // Deliveries of one contact in one batch keep their order; different contacts share one transaction.
        const earlier = running.get(message.receipt);
        const outcome = earlier ? earlier.then(deliver, deliver) : deliver();
        running.set(message.receipt, outcome);
        return outcome;
      }),
    );
  }

  private async count(
    messages: readonly BusMessage[],
    commandIds: readonly Uuid[],
    outcomes: readonly DeliveryOutcome[],
  ): Promise<void> {
    const duplicates: Uuid[] = [];
    let unflushed = false;
    for (const [index, { status }] of outcomes.entries()) {
      if (status === 'accepted') continue;
      if (status !== 'recorded') unflushed = true;
      const id = commandIds[index]!;
      if (status === 'duplicate') duplicates.push(id);
      if (status === 'duplicate' && this.refused.isCounted(id)) continue;
      this.ledger.count(accountOf(messages[index]!), status);
    }
    if (!unflushed) return;
    try {
      // What the log does not tell must be counted before the sender hears of it.
      await this.ledger.flush();
    } catch (error) {
      // The ledger keeps its counts; the deliveries come again.
      this.refused.setCounted(duplicates);
      throw error;
    }
  }

  private commandIdOf(message: BusMessage): Uuid {
    if (message.delivery !== undefined) return this.ids.command(message.receipt, message.delivery);
    return (this.refused.isEmpty ? undefined : this.refused.take(this.nameOf(message))) ?? randomUUID();
  }

  /** The same for whatever delivery says the same of the same contact. */
  private nameOf(message: BusMessage): string {
    const { digest } = this.contentOf(message);
    return `${message.receipt} ${digest}`;
  }

  private contentOf(message: BusMessage): { digest: string } {
    return message.type === 'interaction'
      ? this.contents.interaction(message.interaction)
      : this.contents.profile(message.profile);
  }

  private async deliver(message: BusMessage, commandId: Uuid, attempt = 1): Promise<DeliveryOutcome> {
    try {
      const receipt = await this.commands.execute<RecordInteractionCommand | ImportProfileCommand, CommandReceipt>(
        this.commandOf(message, commandId),
      );
      return { status: statusOf(receipt.events), receipt: message.receipt, position: receipt.position };
    } catch (error) {
      if (isRetryable(error)) throw error;
      // Erased while it was on its way: read again, it belongs to whoever starts afresh.
      if (codeOf(error) === 'PRIVACY.IDENTITY_ERASED' && attempt < MAX_ATTEMPTS)
        return this.deliver(message, commandId, attempt + 1);
      return this.park(message, error);
    }
  }

  private commandOf(message: BusMessage, commandId: Uuid): RecordInteractionCommand | ImportProfileCommand {
    const origin: CommandOrigin = { commandId, traceparent: message.traceparent };
    if (message.type === 'interaction') {
      const content = this.contents.interaction(message.interaction);
      const command = { type: 'RecordInteraction' as const, content };
      return new RecordInteractionCommand(message.interaction.tenant, message.receipt, command, origin);
    }
    const content = this.contents.profile(message.profile);
    return new ImportProfileCommand(message.profile.tenant, { type: 'ImportProfile', content }, origin);
  }

  private async park(message: BusMessage, error: unknown): Promise<DeliveryOutcome> {
    const bytes = Buffer.from(JSON.stringify(toCloudEvent(message)));
    const reason = error instanceof HubError ? error.message : 'the recorder could not handle this contact';
    const code = codeOf(error) ?? 'INTAKE.FAILED';
    const id = await this.parked.park({
      // The same content refused for the same reason is one parked message, however often it is sent.
      id: this.ids.parked(message.receipt, this.contentOf(message).digest, code),
      ...accountOf(message),
      stage: 'record',
      reasonCode: code,
      reason,
      contentType: 'application/cloudevents+json',
      bytes,
      receipt: message.receipt,
      receivedAtMs: this.clock.nowMs(),
    });
    return {
      status: 'parked',
      receipt: id,
      reason: error instanceof HubError ? reason : `${reason}: ${messageOf(error)}`,
    };
  }
}

const accountOf = (message: BusMessage): DeliveryAccount =>
  message.type === 'interaction'
    ? { tenant: message.interaction.tenant, channel: message.interaction.channel, account: message.interaction.account }
    : { tenant: message.profile.tenant, channel: 'profile', account: message.profile.source };

const statusOf = (events: readonly DomainEvent[]): DeliveryOutcome['status'] => {
  const last = events.at(-1);
  // The contact is known; who sent it is known by one more name.
  if (!last || last.type === 'SenderAliasSeen') return 'duplicate';
  return last.type === 'InteractionCorrected' ? 'corrected' : 'recorded';
};

// Waits for every promise before it fails, so that no append is still running when the batch is refused.
const settleAll = async <T>(promises: Promise<T>[]): Promise<T[]> => {
  try {
    return await Promise.all(promises);
  } catch (error) {
    await Promise.allSettled(promises);
    throw error;
  }
};
