import { InteractionBus, type BusMessage, type DeliveryOutcome, type DeliveryStatus } from '#libs/bus';
import { ProblemError } from '#libs/access';
import { Clock, HubError, IdFactory, LIMITS, toInstant } from '#libs/kernel';
import { detailOf, readDelivery, type Delivery, type ItemError, type RawRequest } from './delivery.js';
import type { Edge, Intake } from './inbound.js';
import { Turnstile } from './turnstile.js';

/** What became of one item of a batch. */
export interface ItemResult {
  /** Its place in the body, from 0. */
  index: number;
  status: DeliveryStatus | 'rejected';
  receipt?: string;
  position?: number;
  error?: ItemError;
}

export interface IngestAnswer {
  results: ItemResult[];
}

/** Bodies in, messages on the bus, one result per item. Knows nothing of HTTP but content types. */
export class IngestService {
  private readonly turnstile = new Turnstile();

  constructor(
    private readonly bus: InteractionBus,
    private readonly ids: IdFactory,
    private readonly clock: Clock,
  ) {}

  /**
   * Publishes the good items of a body in one call, and resolves when they are durable.
   * @throws HubError `INGEST.REJECTED` when no item is good; what the bus throws, with nothing taken.
   */
  take(intake: Intake, tenant: string, request: RawRequest): Promise<IngestAnswer> {
    const bytes = Buffer.isBuffer(request.body) ? request.body.length : 0;
    return this.turnstile.pass(bytes, () => this.publish(intake, tenant, request));
  }

  private async publish(intake: Intake, tenant: string, request: RawRequest): Promise<IngestAnswer> {
    const delivery = readDelivery(request, intake.timeField);
    const nowMs = this.clock.nowMs();
    const edge: Edge = { tenant, nowMs, receivedAt: toInstant(nowMs), ids: this.ids };
    const mayBeLarge = Buffer.isBuffer(request.body) && request.body.length > LIMITS.interactionBytes;
    const results: ItemResult[] = [];
    const messages: BusMessage[] = [];
    const places: number[] = [];
    for (let index = 0; index < delivery.values.length; index++) {
      const read = readItem(intake, delivery, index, edge, mayBeLarge);
      if ('code' in read) results.push({ index, status: 'rejected', error: read });
      else {
        places.push(index);
        messages.push(read);
        results.push({ index, status: 'accepted', receipt: read.receipt });
      }
    }
    if (messages.length === 0) throw allRejected(delivery, results);
    const outcomes = await this.bus.publish(messages);
    if (outcomes.length !== messages.length)
      throw new HubError(
        'INGEST.BROKEN_BUS',
        `the bus answered ${outcomes.length} outcomes to ${messages.length} messages`,
      );
    for (let place = 0; place < outcomes.length; place++)
      results[places[place]!] = resultOf(places[place]!, outcomes[place]!);
    return { results };
  }
}

const readItem = (
  intake: Intake,
  delivery: Delivery,
  index: number,
  edge: Edge,
  mayBeLarge: boolean,
): BusMessage | ItemError => {
  const fault = delivery.faults.get(index);
  if (fault) return fault;
  const value = delivery.values[index];
  const message = intake.read(value, edge);
  if (!message) {
    const errors = intake.explain(value, delivery.pathOf(index), edge);
    return { code: 'INGEST.INVALID', detail: detailOf(errors), errors };
  }
  // Measured after the shape is known: only then is serialising it bounded in depth.
  const bytes = mayBeLarge ? Buffer.byteLength(JSON.stringify(value)) : 0;
  if (bytes > LIMITS.interactionBytes)
    return {
      code: 'INGEST.TOO_LARGE',
      detail: `it has ${bytes} bytes of JSON, at most ${LIMITS.interactionBytes} are taken`,
    };
  return message;
};

const resultOf = (index: number, { status, receipt, position, reason }: DeliveryOutcome): ItemResult => ({
  index,
  status,
  receipt,
  position,
  error: status === 'parked' ? { code: 'INGEST.PARKED', detail: reason ?? 'set aside; see the receipt' } : undefined,
});

const allRejected = (delivery: Delivery, results: ItemResult[]): ProblemError => {
  const first = results[0]?.error;
  return delivery.single && first
    ? new ProblemError('INGEST.REJECTED', first.detail, { errors: first.errors, extensions: { results } })
    : new ProblemError('INGEST.REJECTED', `none of the ${results.length} items is acceptable`, {
        extensions: { results },
      });
};
