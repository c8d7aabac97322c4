import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { PassThrough } from 'node:stream';
import { ProjectionProgress, ReadModel, type ProjectionAdvance } from '#libs/projections';
import { entryText, Entries, readEntry } from './entries.js';

interface Watcher {
  /** Identity key the customer was opened by; its customer may change while it is watched. */
  identity: number;
  /** Position of the last entry sent. */
  sent: number;
  stream: PassThrough;
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
  private corrected = new Set<number>();
  private seen = 0;
  private running: Promise<void> | undefined;

  constructor(
    private readonly readModel: ReadModel,
    private readonly entries: Entries,
    private readonly progress: ProjectionProgress,
  ) {
    this.unlisten = progress.onAdvance((news) => this.wake(news));
    this.heartbeat = setInterval(() => {
      for (const { stream } of this.watchers) stream.write(': still here\n\n');
    }, HEARTBEAT_MS).unref();
  }

  /**
   * The stream of a customer named by one of its identities. With `lastEventId`, what came after it is sent first;
   * without, only what comes from now on.
   */
  async watch(customer: number, lastEventId: number | undefined): Promise<PassThrough> {
    const stream = new PassThrough();
    stream.write('retry: 2000\n\n');
    if (this.watchers.size === 0) this.seen = this.progress.position();
    const watcher: Watcher = { identity: customer, sent: lastEventId ?? this.progress.position(), stream };
    if (lastEventId !== undefined) await this.catchUp(watcher);
    this.watchers.add(watcher);
    const close = () => void this.watchers.delete(watcher);
    stream.on('close', close).on('error', close);
    this.wake({ position: this.progress.position(), corrected: [] });
    return stream;
  }

  onModuleDestroy(): void {
    this.unlisten();
    clearInterval(this.heartbeat);
    for (const { stream } of this.watchers) stream.end();
  }

  private wake(news: ProjectionAdvance): void {
    if (this.watchers.size === 0) return;
    for (const position of news.corrected) this.corrected.add(position);
    this.running ??= this.push().finally(() => (this.running = undefined));
  }

  private async push(): Promise<void> {
    for (;;) {
      const through = this.progress.position();
      const corrected = [...this.corrected];
      if (through <= this.seen && corrected.length === 0) return;
      this.corrected.clear();
      const watched = await this.customersOf([...this.watchers]);
      for (let after = this.seen; after < through;) {
        const rows = await this.newEntries(after, through);
        await this.send(rows, watched, through);
        after = rows.length < PAGE ? through : rows.at(-1)!.position;
      }
      if (corrected.length > 0) await this.send(await this.entriesAt(corrected), watched, through);
      this.seen = through;
    }
  }

  private async send(
    rows: readonly { text: string; customer: number }[],
    watched: Map<number, Watcher[]>,
    through: number,
  ): Promise<void> {
    for (const { text, customer } of rows) {
      const watchers = watched.get(customer);
      if (!watchers) continue;
      const row = readEntry(text);
      const [entry] = await this.entries.show([row]);
      for (const watcher of watchers) {
        const corrected = row.revision > 1;
        if (row.position <= watcher.sent && !corrected) continue;
        watcher.sent = Math.max(watcher.sent, row.position);
        // A correction carries the place in the log it was seen at, so that ids never go back.
        emit(watcher, corrected ? Math.max(watcher.sent, through) : row.position, entry);
      }
    }
  }

  private async customersOf(watchers: readonly Watcher[]): Promise<Map<number, Watcher[]>> {
    const rows = await this.readModel.db
      .selectFrom('identity')
      .select(['key', 'customer'])
      .where('key', 'in', [...new Set(watchers.map((w) => w.identity))])
      .execute();
    const customers = new Map(rows.map(({ key, customer }) => [key, customer]));
    const found = new Map<number, Watcher[]>();
    for (const watcher of watchers) {
      const customer = customers.get(watcher.identity);
      if (customer !== undefined) found.set(customer, [...(found.get(customer) ?? []), watcher]);
    }
    return found;
  }

  private rows() {
    return this.readModel.db
      .selectFrom('entry')
      .innerJoin('conversation', 'conversation.key', 'entry.conversation')
      .innerJoin('identity', 'identity.key', 'entry.identity')
      .select([entryText(), 'entry.position', 'identity.customer']);
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
        .select(entryText())
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

const emit = ({ stream }: Watcher, id: number, entry: unknown): void => {
  if (stream.writableLength > MAX_BUFFERED_BYTES) {
    stream.end();
    return;
  }
  stream.write(`id: ${id}\nevent: entry\ndata: ${JSON.stringify(entry)}\n\n`);
};
