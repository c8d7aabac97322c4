import type {
  EventLog,
  Position,
  RawEvent,
  RawEventLog,
  ReadAllOptions,
  StoredEvent,
  StreamId,
  Subscription,
} from '#libs/event-store';
import type { Uuid, UuidSet } from '#libs/kernel';
import { EventSealer } from './seal/event-sealer.js';
import type { KeyVault } from './vault/key-vault.port.js';

/** What is read of the log: closed by whoever reads. */
export type ReadableLog = EventLog & RawEventLog & { close(): Promise<void> };

/** Opens what comes out of a log, batch by batch; events stored in clear pass as they are. */
export class EventOpener {
  constructor(
    private readonly vault: KeyVault,
    private readonly sealer: EventSealer = new EventSealer(),
  ) {}

  /** @throws HubError `PRIVACY.SEAL_BROKEN` */
  async events(stored: readonly StoredEvent[]): Promise<StoredEvent[]> {
    const subjects = stored.map((event) => this.sealer.subjectOf(event));
    const keys = await this.keysOf(subjects);
    return stored.map((event, i) => {
      const subject = subjects[i];
      return subject === undefined ? event : { ...event, data: this.sealer.open(event, subject, keys.get(subject)) };
    });
  }

  /**
   * The same for events as text: what is not sealed is not looked into.
   * @throws HubError `PRIVACY.SEAL_BROKEN`
   */
  async raw(stored: readonly RawEvent[]): Promise<RawEvent[]> {
    const parsed = stored.map((event) =>
      event.json.includes('"sealed":"') ? { ...event, data: JSON.parse(event.json) as object } : undefined,
    );
    const subjects = parsed.map((event) => event && this.sealer.subjectOf(event));
    const keys = await this.keysOf(subjects);
    return stored.map((event, i) => {
      const subject = subjects[i];
      if (subject === undefined) return event;
      return { ...event, json: JSON.stringify(this.sealer.open(parsed[i]!, subject, keys.get(subject))) };
    });
  }

  private keysOf(subjects: readonly (Uuid | undefined)[]): ReturnType<KeyVault['find']> {
    return this.vault.find(subjects.filter((subject) => subject !== undefined));
  }
}

/** The read half of a log whose events are sealed: whoever reads gets them open. */
export class SealedEventLog implements EventLog, RawEventLog {
  private readonly opener: EventOpener;

  /** @param vault closed together with the log */
  constructor(
    private readonly log: ReadableLog,
    private readonly vault: KeyVault,
    sealer?: EventSealer,
  ) {
    this.opener = new EventOpener(vault, sealer);
  }

  /** What was erased, as far as the vault knew when it was opened. */
  get erased(): UuidSet {
    return this.vault.erased;
  }

  async read(stream: StreamId): Promise<StoredEvent[]> {
    return this.opener.events(await this.log.read(stream));
  }

  readAll(options: ReadAllOptions): AsyncGenerator<StoredEvent[]> {
    return each(this.log.readAll(options), (events) => this.opener.events(events));
  }

  readAllRaw(options: ReadAllOptions): AsyncGenerator<RawEvent[]> {
    return each(this.log.readAllRaw(options), (events) => this.opener.raw(events));
  }

  subscribe(after: Position, handle: (events: StoredEvent[]) => Promise<void>): Subscription {
    return this.log.subscribe(after, async (events) => handle(await this.opener.events(events)));
  }

  head(): Promise<Position> {
    return this.log.head();
  }

  recordedBy(instantMs: number): Promise<Position> {
    return this.log.recordedBy(instantMs);
  }

  async close(): Promise<void> {
    await this.log.close();
    await this.vault.close();
  }
}

// The reading begins with the call that asks for it: its end is the head of that moment.
async function* each<T>(batches: AsyncIterable<T[]>, open: (batch: T[]) => Promise<T[]>): AsyncGenerator<T[]> {
  for await (const batch of batches) yield await open(batch);
}
