import { randomUUID } from 'node:crypto';
import type { OnApplicationShutdown } from '@nestjs/common';
import { SCHEMAS, type PersonalDataRevealed, type SeenPart, type TimelineViewed } from '#libs/domain';
import { EventStore, streamId, type NewEvent, type StreamId } from '#libs/event-store';
import { Clock, HubError, toInstant, type Uuid } from '#libs/kernel';
import type { Caller } from '../caller.js';

/** How long looks are gathered before they are written: what a crash may take of the trail. */
export const GATHER_MS = 1000;
/** Looks that may wait to be written; beyond them nobody is shown anything. */
const MAX_WAITING = 10_000;
const EVENTS_AN_APPEND = 500;

/** Look of one caller at one customer. */
export interface Look {
  customer: Uuid;
  saw: SeenPart;
  /** Code of the reason the caller gave. */
  reason?: string;
}

interface Batch {
  stream: StreamId;
  events: NewEvent[];
}

/**
 * Writes down who looked at whom. Looks are gathered for a second, equal ones count as one, and go into the log together,
 * so that a page costs a map entry. A look that could not be written is tried again with the next ones.
 */
export class AccessTrail implements OnApplicationShutdown {
  private readonly looks = new Map<string, { tenant: string; data: TimelineViewed['data'] }>();
  private unwritten: Batch[] = [];
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: EventStore,
    private readonly clock: Clock,
  ) {}

  /**
   * Notes that a caller has looked at a customer; call it before the answer goes out.
   * @throws HubError `ACCESS.TRAIL_FULL` (503) where looks cannot be written: what is not noted is not shown.
   */
  viewed({ tenant, keyId }: Caller, { customer, saw, reason }: Look): void {
    // None of the parts can hold a line feed: tenant and reason have forms, an id is a UUID, a subject has no controls.
    const key = `${tenant}\n${keyId}\n${customer}\n${reason ?? ''}`;
    const known = this.looks.get(key);
    if (known) {
      known.data.reads += 1;
      if (!known.data.saw.includes(saw)) known.data.saw.push(saw);
      return;
    }
    const waiting = this.looks.size + this.unwritten.reduce((sum, { events }) => sum + events.length, 0);
    if (waiting >= MAX_WAITING)
      throw new HubError('ACCESS.TRAIL_FULL', 'who looked at whom cannot be written down now', { retryable: true });
    this.looks.set(key, {
      tenant,
      data: {
        by: keyId,
        customer,
        at: toInstant(this.clock.nowMs()),
        saw: [saw],
        reads: 1,
        ...(reason === undefined ? {} : { reason }),
      },
    });
    this.timer ??= setTimeout(() => void this.flush(), GATHER_MS).unref();
  }

  /** Writes down that a caller is shown one value; durable when it resolves, so show it afterwards. */
  async revealed({ tenant, keyId }: Caller, what: Omit<PersonalDataRevealed['data'], 'by' | 'at'>): Promise<number> {
    const data: PersonalDataRevealed['data'] = { by: keyId, at: toInstant(this.clock.nowMs()), ...what };
    const { position } = await this.store.append(
      streamId('access', randomUUID()),
      [eventOf('PersonalDataRevealed', tenant, data)],
      'no_stream',
    );
    return position;
  }

  /** Resolves when everything gathered so far is written, or has been tried. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.writing = this.writing.then(() => this.write());
    return this.writing;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.flush();
  }

  private async write(): Promise<void> {
    const batches = [...this.unwritten, ...this.gathered()];
    // A repeated append of the same events to the same stream is recognised by the store.
    this.unwritten = batches;
    const failed = await Promise.all(
      batches.map(async (batch) => {
        try {
          await this.store.append(batch.stream, batch.events, 'no_stream');
          return [];
        } catch {
          return [batch];
        }
      }),
    );
    this.unwritten = failed.flat();
    if (this.unwritten.length > 0) this.timer ??= setTimeout(() => void this.flush(), GATHER_MS).unref();
  }

  private gathered(): Batch[] {
    const byTenant = new Map<string, NewEvent[]>();
    for (const { tenant, data } of this.looks.values()) {
      const events = byTenant.get(tenant) ?? [];
      byTenant.set(tenant, events);
      events.push(eventOf('TimelineViewed', tenant, data));
    }
    this.looks.clear();
    const batches: Batch[] = [];
    for (const events of byTenant.values()) {
      for (let at = 0; at < events.length; at += EVENTS_AN_APPEND)
        batches.push({ stream: streamId('access', randomUUID()), events: events.slice(at, at + EVENTS_AN_APPEND) });
    }
    return batches;
  }
}

const eventOf = (
  type: 'TimelineViewed' | 'PersonalDataRevealed',
  tenant: string,
  data: TimelineViewed['data'] | PersonalDataRevealed['data'],
): NewEvent => ({ id: randomUUID(), type, schema: SCHEMAS[type]!, tenant, data });
