import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { PassThrough } from 'node:stream';
import { ProjectionProgress, ReadModel, type ProjectionAdvance } from '#libs/projections';
import { entryText, Entries, readEntry } from './entries.js';
import type { TimelineEntryDto } from './timeline.dto.js';

interface Watcher {
  /** Identity key the customer was opened by; its customer may change while it is watched. */
  identity: number;
  /** Position of the last entry sent. */
  sent: number;
  /** Tells one set of identities from another; absent until it was read once. */
  members?: string;
  stream: PassThrough;
  /** How an entry is shown to whoever watches. */
  shown: (entry: TimelineEntryDto) => TimelineEntryDto;
  /** Whether whoever watches may still do so; asked at every heartbeat. */
  isAllowed: () => boolean | Promise<boolean>;
}

export interface WatchOptions extends Pick<Watcher, 'shown' | 'isAllowed'> {
  /** What came after it is sent first; absent: only what comes from now on. */
  lastEventId?: number;
}

/** Who a watched identity belongs to, and with whom. */
interface Watched {
  customer: number;
  members: string;
  erased: boolean;
}

/** A comment line every so often keeps proxies from closing a quiet stream. */
const HEARTBEAT_MS = 15_000;
const PAGE = 500;
/** A reader this far behind is cut off; it comes back with `Last-Event-ID` and misses nothing. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/** Pushes new entries of watched customers as server-sent events, woken by the projector. */
@Injectable()
export class LiveTimelines implements OnModuleDestroy {
  private readonly watchers = new Set<Watcher>();
  private readonly heartbeat: NodeJS.Timeout;
  private readonly unlisten: () => void;
  /** Where entries that have changed are, and where the change was folded: another shard may be behind that. */
  private readonly corrected = new Map<number, number>();
  private seen = 0;
  private running: Promise<void> | undefined;

  constructor(
    private readonly readModel: ReadModel,
    private readonly entries: Entries,
    private readonly progress: ProjectionProgress,
  ) {
    this.unlisten = progress.onAdvance((news) => this.wake(news));
    this.heartbeat = setInterval(() => {
      for (const watcher of this.watchers) void this.beat(watcher);
    }, HEARTBEAT_MS).unref();
  }

  /** The stream of a customer named by one of its identities. It ends when whoever watches may no longer. */
  async watch(customer: number, { lastEventId, shown, isAllowed }: WatchOptions): Promise<PassThrough> {
    const stream = new PassThrough();
    stream.write('retry: 2000\n\n');
    if (this.watchers.size === 0) this.seen = this.progress.position();
    const sent = lastEventId ?? this.progress.position();
    const watcher: Watcher = { identity: customer, sent, stream, shown, isAllowed };
    if (lastEventId !== undefined) await this.catchUp(watcher);
    this.watchers.add(watcher);
    const close = () => void this.watchers.delete(watcher);
    stream.on('close', close).on('error', close);
    this.wake({ position: this.progress.position(), corrected: [] });
    // Read once it is among the watchers: nothing may come between its place in the log and that.
    watcher.members ??= (await this.watched([customer])).get(customer)?.members;
    return stream;
  }

  onModuleDestroy(): void {
    this.unlisten();
    clearInterval(this.heartbeat);
    for (const { stream } of this.watchers) stream.end();
  }

  private async beat({ stream, isAllowed }: Watcher): Promise<void> {
    // What cannot be asked now is asked at the next beat.
    const allowed = await Promise.resolve(isAllowed()).catch(() => true);
    if (allowed) stream.write(': still here\n\n');
    else stream.end();
  }

  private wake(news: ProjectionAdvance): void {
    if (this.watchers.size === 0) return;
    for (const position of news.corrected) this.corrected.set(position, news.position);
    this.running ??= this.push().finally(() => (this.running = undefined));
  }

  private async push(): Promise<void> {
    for (;;) {
      const through = this.progress.position();
      const corrected = [...this.corrected].filter(([, at]) => at <= through).map(([position]) => position);
      if (through <= this.seen && corrected.length === 0) return;
      for (const position of corrected) this.corrected.delete(position);
      const found = await this.watched([...this.watchers].map(({ identity }) => identity));
      const watched = this.byCustomer(found);
      for (let after = this.seen; after < through;) {
        const rows = await this.newEntries(after, through);
        await this.send(rows, watched);
        after = rows.length < PAGE ? through : rows.at(-1)!.position;
      }
      if (corrected.length > 0) await this.send(await this.entriesAt(corrected), watched, through);
      this.tellOfLinks(found);
      for (const watcher of this.watchers) if (found.get(watcher.identity)?.erased) watcher.stream.end();
      this.seen = through;
    }
  }

  /** @param changedBy place in the log that showed a change of what was sent before */
  private async send(
    rows: readonly { text: string; customer: number }[],
    watched: Map<number, Watcher[]>,
    changedBy?: number,
  ): Promise<void> {
    for (const { text, customer } of rows) {
      const watchers = watched.get(customer);
      if (!watchers) continue;
      const row = readEntry(text);
      const [entry] = await this.entries.show([row]);
      for (const watcher of watchers) {
        if (row.position <= watcher.sent && changedBy === undefined) continue;
        watcher.sent = Math.max(watcher.sent, row.position);
        // A change carries the place in the log it was seen at, so that ids never go back.
        emit(watcher, changedBy === undefined ? row.position : Math.max(watcher.sent, changedBy), entry!);
      }
    }
  }

  /** Says that links have changed who the customer is: what came or went with that is to be read again. */
  private tellOfLinks(found: ReadonlyMap<number, Watched>): void {
    for (const watcher of this.watchers) {
      const members = found.get(watcher.identity)?.members;
      if (members === undefined || members === watcher.members) continue;
      const isNews = watcher.members !== undefined;
      watcher.members = members;
      if (!isNews) continue;
      // Without an id: where the stream is resumed does not change.
      watcher.stream.write('event: customer\ndata: {"changed":"identities"}\n\n');
    }
  }

  private async watched(identities: readonly number[]): Promise<Map<number, Watched>> {
    const rows = await this.readModel.db
      .selectFrom('identity as watched')
      .innerJoin('identity as member', 'member.customer', 'watched.customer')
      .select(({ fn }) => [
        'watched.key',
        'watched.customer',
        'watched.erased',
        fn.count<number>('member.key').as('count'),
        fn.sum<number>('member.key').as('sum'),
      ])
      .where('watched.key', 'in', [...new Set(identities)])
      .groupBy(['watched.key', 'watched.customer', 'watched.erased'])
      .execute();
    return new Map(
      rows.map(({ key, customer, erased, count, sum }) => [
        key,
        { customer, members: `${count} ${sum}`, erased: erased !== null },
      ]),
    );
  }

  private byCustomer(found: ReadonlyMap<number, Watched>): Map<number, Watcher[]> {
    const watchers = new Map<number, Watcher[]>();
    for (const watcher of this.watchers) {
      const customer = found.get(watcher.identity)?.customer;
      if (customer !== undefined) watchers.set(customer, [...(watchers.get(customer) ?? []), watcher]);
    }
    return watchers;
  }

  private rows() {
    return this.readModel.db
      .selectFrom('entry')
      .innerJoin('conversation', 'conversation.key', 'entry.conversation')
      .innerJoin('identity', 'identity.key', 'entry.identity')
      .select([entryText(this.readModel.db), 'entry.position', 'identity.customer']);
  }

  private newEntries(after: number, through: number) {
    return this.rows()
      .where('entry.position', '>', after)
      .where('entry.position', '<=', through)
      .orderBy('entry.position')
      .limit(PAGE)
      .execute();
  }

  private entriesAt(positions: readonly number[]) {
    return this.rows().where('entry.position', 'in', positions).execute();
  }

  private async catchUp(watcher: Watcher): Promise<void> {
    for (;;) {
      const rows = await this.readModel.db
        .selectFrom('timeline')
        .innerJoin('entry', 'entry.position', 'timeline.position')
        .innerJoin('conversation', 'conversation.key', 'entry.conversation')
        .innerJoin('identity', 'identity.customer', 'timeline.customer')
        .select(entryText(this.readModel.db))
        .where('identity.key', '=', watcher.identity)
        .where('timeline.position', '>', watcher.sent)
        .orderBy('timeline.position')
        .limit(PAGE)
        .execute();
      for (const entry of await this.entries.show(rows.map(({ text }) => readEntry(text)))) {
        watcher.sent = entry.position;
        emit(watcher, entry.position, entry);
      }
      if (rows.length < PAGE) return;
    }
  }
}

const emit = ({ stream, shown }: Watcher, id: number, entry: TimelineEntryDto): void => {
  if (stream.writableLength > MAX_BUFFERED_BYTES) {
    stream.end();
    return;
  }
  stream.write(`id: ${id}\nevent: entry\ndata: ${JSON.stringify(shown(entry))}\n\n`);
};
