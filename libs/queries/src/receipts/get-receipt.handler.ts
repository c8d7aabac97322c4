import { Optional } from '@nestjs/common';
import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { ApiProperty, ApiPropertyOptional } from '#libs/kernel/api-docs.js';
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
}

@QueryHandler(GetReceiptQuery)
export class GetReceiptHandler implements IQueryHandler<GetReceiptQuery> {
  constructor(
    private readonly store: EventStore,
    private readonly parked: ParkedMessages,
    private readonly progress: ProjectionProgress,
    @Optional() private readonly waiting?: WaitingReceipts,
  ) {}

  async execute({ tenant, receipt }: GetReceiptQuery): Promise<ReceiptDto> {
    if (isUuid(receipt)) {
      for (const category of ['interaction', 'identity'] as const) {
        // What came later of its sender alone is no delivery of its own.
        const events = await this.store.read(streamId(category, receipt));
        const last = events.findLast(({ type }) => type !== 'SenderAliasSeen');
        if (last?.tenant !== tenant) continue;
        return {
          receipt,
          status: last.type === 'InteractionCorrected' ? 'corrected' : 'recorded',
          position: last.position,
          visible: last.position <= this.progress.position(),
        };
      }
      const parked = (await this.parked.get(receipt)) ?? (await this.parked.list({ tenant, receipt, limit: 1 }))[0];
      if (parked?.tenant === tenant) return { receipt, status: 'parked', reason: parked.reason, visible: false };
      if (this.waiting?.waitingFor(receipt) === tenant) return { receipt, status: 'accepted', visible: false };
    }
    throw new HubError('RECEIPT.NOT_FOUND', 'no delivery has this receipt');
  }
}
