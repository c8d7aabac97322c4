import { setTimeout as delay } from 'node:timers/promises';
import { streamNameFilter, type EventStoreDBClient } from '@eventstore/db-client';
import { HubError } from '#libs/kernel';
import type { CopiedEvent, CopyTarget, RawEvent } from '../event-log.port.js';
import { storeClosed } from '../event-store.errors.js';
import {
  EventStore,
  type AppendReceipt,
  type ExpectedRevision,
  type Position,
  type ReadAllOptions,
  type StoredEvent,
  type StreamId,
  type Subscription,
} from '../event-store.port.js';
import type { Installation } from '../installation.js';
import { checkAppend, partsOfStream } from '../new-events.js';
import { batchSizeOf } from '../read-all.js';
import { AllSubscription, MOST_A_BATCH, type SubscriptionSource, type SubscriptionTiming } from './all-subscription.js';
import { Appender } from './appender.js';
import { connectClient } from './connect-client.js';
import { connectionSettingsOf, type ConnectionSettings } from './connection-settings.js';
import { EventStoreDbInstallation } from './eventstoredb.installation.js';
import { EVENTS_A_MARK, InstantIndex } from './instant-index.js';
import { LogReader } from './log-reader.js';
import { StreamNames } from './records.js';
import { SideStreams } from './side-streams.js';
import { StoredMarks } from './stored-marks.js';

const DISPOSE_MS = 2000;
/** So many marks later whoever appends looks again whether there are more: who follows may be behind. */
const LATER_LOOKS = 10;

export interface EventStoreDbOptions {
  /** `esdb://user:password@host:2113?tls=true&namespace=acme`; the README lists what it may hold. */
  url: string;
  /** Appends under way at a time, 1 to 1000. @default 256 */
  maxInFlight?: number;
  /** Appends waiting for their turn before further ones are refused with `EVENT_STORE.UNAVAILABLE`. @default 20000 */
  maxWaiting?: number;
  /** Longest silence of one call in milliseconds, 100 to 60000. @default 5000 */
  attemptTimeoutMs?: number;
  /** How long a failing call is repeated in all, in milliseconds. @default 30000 */
  giveUpAfterMs?: number;
  /** Wait before the second attempt in milliseconds; doubles up to `maxBackoffMs`. @default 50 */
  initialBackoffMs?: number;
  /** @default 2000 */
  maxBackoffMs?: number;
  /** Silence of a subscription in milliseconds before the log is asked whether it moved. @default 45000 */
  watchdogMs?: number;
  /** Told of every subscription that ended without our stop. */
  onDropped?: SubscriptionTiming['onDropped'];
}

/**
 * Streams of events in EventStoreDB or KurrentDB. A position is the commit position of the server's log: it grows with
 * every event, by bytes. Appends to different streams are under way together and are ordered by the server.
 */
export class EventStoreDbEventStore extends EventStore implements CopyTarget {
  private readonly names: StreamNames;
  private readonly log: LogReader;
  private readonly appender: Appender;
  private readonly instants: InstantIndex;
  /** What belongs to the log, kept in streams beside it. */
  readonly installation: Installation;
  /** Events appended here since the last mark was looked after. */
  private unmarked = 0;
  private lookAfter = EVENTS_A_MARK;
  private marking: Promise<unknown> | undefined;
  private readonly subscriptionTiming: SubscriptionTiming;
  private readonly subscriptions = new Set<Subscription>();
  private readonly closing = new AbortController();

  private constructor(
    private readonly client: EventStoreDBClient,
    private readonly settings: ConnectionSettings,
    options: EventStoreDbOptions,
  ) {
    super();
    const backoff = { initialMs: options.initialBackoffMs ?? 50, maxMs: options.maxBackoffMs ?? 2000 };
    const patience = {
      attemptTimeoutMs: options.attemptTimeoutMs ?? 5000,
      giveUpAfterMs: options.giveUpAfterMs ?? 30_000,
      backoff,
    };
    const bounds = { maxInFlight: options.maxInFlight ?? 256, maxWaiting: options.maxWaiting ?? 20_000 };
    this.names = new StreamNames(settings.prefix);
    this.log = new LogReader(client, this.names, settings, patience, (position) => this.instants.knownUpTo(position));
    this.appender = new Appender(client, this.names, settings, patience, bounds, (stream, revision) =>
      this.log.positionInStream(stream, revision),
    );
    const beside = new SideStreams(this.log, this.appender);
    this.instants = new InstantIndex((after) => this.log.eventsAfter(after, 500), new StoredMarks(beside));
    this.installation = new EventStoreDbInstallation(beside);
    this.subscriptionTiming = {
      watchdogMs: options.watchdogMs ?? 45_000,
      backoff,
      ...(options.onDropped && { onDropped: options.onDropped }),
    };
  }

  /**
   * Does not connect yet: the first call does.
   * @throws HubError `SETTINGS.INVALID` when the URL cannot be used
   */
  static open(options: EventStoreDbOptions): EventStoreDbEventStore {
    const settings = connectionSettingsOf(options.url);
    let client: EventStoreDBClient;
    try {
      client = connectClient(settings.connectionString);
    } catch (cause) {
      // The message of the client may quote the password.
      throw new HubError('SETTINGS.INVALID', `HILO_EVENT_STORE_URL: the client refuses ${settings.shown}`, {
        facts: { reason: cause instanceof Error ? cause.name : 'unknown' },
      });
    }
    return new EventStoreDbEventStore(client, settings, options);
  }

  /** Where the log is, for messages: without the password. */
  get shown(): string {
    return this.settings.shown;
  }

  async read(stream: StreamId): Promise<StoredEvent[]> {
    partsOfStream(stream);
    return this.log.stream(stream);
  }

  /** `recordedAtMs` of an event is for copies of another log alone; the server's clock says it otherwise. */
  async append(stream: StreamId, events: readonly CopiedEvent[], expected: ExpectedRevision): Promise<AppendReceipt> {
    if (this.closed) throw storeClosed();
    partsOfStream(stream);
    checkAppend(stream, events, expected);
    const receipt = await this.appender.append(stream, events, expected);
    this.markNowAndThen(events.length);
    return receipt;
  }

  readAll(options: ReadAllOptions): AsyncGenerator<StoredEvent[]> {
    return this.batches(options, this.endOf(options), (event) => event);
  }

  readAllRaw(options: ReadAllOptions): AsyncGenerator<RawEvent[]> {
    return this.batches(options, this.endOf(options), ({ data, ...event }) => ({
      ...event,
      json: JSON.stringify(data),
    }));
  }

  subscribe(after: Position, handle: (events: StoredEvent[]) => Promise<void>): Subscription {
    if (this.closed) throw storeClosed();
    const source: SubscriptionSource = {
      open: (fromPosition, checkpointReached) =>
        this.client.subscribeToAll(
          {
            fromPosition,
            credentials: this.settings.credentials,
            filter: streamNameFilter({ prefixes: this.names.prefixes, checkpointReached }),
          },
          { highWaterMark: MOST_A_BATCH },
        ),
      streamOf: (name) => this.names.streamOf(name),
      head: () => this.head(),
      followed: (from, events) => this.instants.followed(from, events),
    };
    const subscription = new AllSubscription(source, after, handle, this.subscriptionTiming);
    this.subscriptions.add(subscription);
    const forget = (): boolean => this.subscriptions.delete(subscription);
    subscription.done.then(forget, forget);
    return subscription;
  }

  async head(): Promise<Position> {
    return (await this.newest())?.position ?? 0;
  }

  newest(): Promise<StoredEvent | undefined> {
    return this.log.newest();
  }

  /** Reads as many records as the logarithm of the log's length, and a thousand events, once the log is marked. */
  recordedBy(instantMs: number): Promise<Position> {
    return this.instants.recordedBy(instantMs);
  }

  /** Stops the subscriptions, and waits for the answers of appends under way. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closing.abort();
    await Promise.all([...this.subscriptions].map((subscription) => subscription.stop()));
    await this.marking;
    await this.appender.close();
    // It waits for the ends of calls, which a server that hangs may owe for ever.
    await Promise.race([this.client.dispose(), delay(DISPOSE_MS, undefined, { ref: false })]);
  }

  private get closed(): boolean {
    return this.closing.signal.aborted;
  }

  /** So that nobody who asks for an instant has to read much that no mark covers, where nobody follows the log. */
  private markNowAndThen(appended: number): void {
    this.unmarked += appended;
    if (this.unmarked < this.lookAfter || this.marking || this.closed) return;
    this.unmarked = 0;
    this.lookAfter = LATER_LOOKS * EVENTS_A_MARK;
    this.marking = this.instants
      .extend(this.closing.signal, true)
      .catch(() => undefined) // the next thousand events try again
      .finally(() => (this.marking = undefined));
  }

  /** Asked at the call, not at the first batch. */
  private endOf({ through }: ReadAllOptions): Promise<Position> {
    if (through !== undefined) return Promise.resolve(through);
    const end = this.head();
    this.appender.after(end); // whoever reads gets its failure; a reading that never begins must not end the program
    return end;
  }

  private async *batches<T>(
    options: ReadAllOptions,
    end: Promise<Position>,
    map: (event: StoredEvent) => T,
  ): AsyncGenerator<T[]> {
    const size = batchSizeOf(options);
    const types = options.types && new Set(options.types);
    const through = await end;
    if (through <= options.after) return;
    let batch: T[] = [];
    for await (const events of this.log.eventsAfter(options.after, Math.max(size, 100)))
      for (const event of events) {
        if (event.position > through) {
          if (batch.length > 0) yield batch;
          return;
        }
        if (options.tenant !== undefined && event.tenant !== options.tenant) continue;
        if (types && !types.has(event.type)) continue;
        batch.push(map(event));
        if (batch.length < size) continue;
        yield batch;
        batch = [];
      }
    if (batch.length > 0) yield batch;
  }
}
