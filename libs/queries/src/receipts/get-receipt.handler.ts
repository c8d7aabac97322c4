import { Optional } from '@nestjs/common';
import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { ApiProperty, ApiPropertyOptional } from '#libs/kernel/api-docs.js';
import { ProblemError } from '#libs/access';
import { EventStore, ParkedMessages, streamId } from '#libs/event-store';
import { HubError, isUuid } from '#libs/kernel';
import { ProjectionProgress } from '#libs/projections';

/** What became of a delivery. */
export class ReceiptDto {
  @ApiProperty({ type: String, format: 'uuid' })
  receipt!: string;
  @ApiProperty({ enum: ['accepted', 'recorded', 'duplicate', 'corrected', 'parked'] })
  status!: 'accepted' | 'recorded' | 'duplicate' | 'corrected' | 'parked';
  @ApiPropertyOptional({ type: Number, description: 'Where the newest revision was recorded' })
  position?: number;
  @ApiPropertyOptional({ type: String, description: 'Why it was parked' })
  reason?: string;
  @ApiProperty({ type: Boolean, description: 'Whether the timeline shows it by now' })
  visible!: boolean;
}

export class GetReceiptQuery extends Query<ReceiptDto> {
  constructor(
    readonly tenant: string,
    readonly receipt: string,
  ) {
    super();
  }
}

/** What a bus has accepted and nobody has recorded yet. */
export abstract class WaitingReceipts {
  /** The tenant of a contact that is known to wait. */
  abstract waitingFor(receipt: string): string | undefined;

  /**
   * Whether everything accepted before this call is recorded or parked, within so many milliseconds. Rejects where the
   * bus cannot be asked.
   */
  abstract handledSoFar(withinMs: number): Promise<boolean>;
}

/** How long a question waits for the recorders before it is left open. */
const WAIT_MS = 5_000;

@QueryHandler(GetReceiptQuery)
export class GetReceiptHandler implements IQueryHandler<GetReceiptQuery> {
  constructor(
    private readonly store: EventStore,
    private readonly parked: ParkedMessages,
    private readonly progress: ProjectionProgress,
    @Optional() private readonly waiting?: WaitingReceipts,
  ) {}

  /**
   * A receipt that nobody has made is told from one that waits on the bus: only once the recorders have come past all that
   * was accepted before the question is it unknown.
   * @throws HubError `RECEIPT.NOT_FOUND`; `RECEIPT.NOT_KNOWN_YET`, retryable, where they have not within 5 s
   */
  async execute({ tenant, receipt }: GetReceiptQuery): Promise<ReceiptDto> {
    if (!isUuid(receipt)) throw notFound();
    const found = await this.find(tenant, receipt);
    if (found) return found;
    if (this.waiting?.waitingFor(receipt) === tenant) return { receipt, status: 'accepted', visible: false };
    const handled = await this.waiting?.handledSoFar(WAIT_MS).catch(() => false);
    const later = await this.find(tenant, receipt);
    if (later) return later;
    throw handled === false ? notKnownYet() : notFound();
  }

  private async find(tenant: string, receipt: string): Promise<ReceiptDto | undefined> {
    for (const category of ['interaction', 'identity'] as const) {
      // What came later of its sender alone is no delivery of its own.
      const events = await this.store.read(streamId(category, receipt));
      const last = events.findLast(({ type }) => type !== 'SenderAliasSeen');
      if (last?.tenant !== tenant) continue;
      return {
        receipt,
        status: last.type === 'InteractionCorrected' ? 'corrected' : 'recorded',
        position: last.position,
        visible: last.position <= this.progress.of(tenant).position(),
      };
    }
    const parked = (await this.parked.get(receipt)) ?? (await this.parked.list({ tenant, receipt, limit: 1 }))[0];
    return parked?.tenant === tenant ? { receipt, status: 'parked', reason: parked.reason, visible: false } : undefined;
  }
}

const notFound = (): HubError => new HubError('RECEIPT.NOT_FOUND', 'no delivery has this receipt');

const notKnownYet = (): HubError =>
  new ProblemError(
    'RECEIPT.NOT_KNOWN_YET',
    'no delivery is recorded under this receipt, and not all that was accepted is recorded yet: it is unknown, or waits on the bus; ask again',
    { retryable: true, retryAfterSeconds: 2 },
  );
