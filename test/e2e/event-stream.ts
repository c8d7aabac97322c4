import type { TimelineEntryDto } from '#libs/queries/timeline/timeline.dto.js';
import { within } from './waiting.js';

export interface StreamedEntry {
  id: string;
  entry: TimelineEntryDto;
}

/** A client of server-sent events that keeps what came until somebody asks for it. */
export class EventStream {
  private readonly arrived: StreamedEntry[] = [];
  private waiting: ((entry: StreamedEntry) => void) | undefined;
  /** How often it was told that links have changed who the customer is. */
  changes = 0;
  /** Resolves when the hub has ended the stream. */
  readonly ended: Promise<void>;

  private constructor(
    readonly response: Response,
    private readonly leave: AbortController,
  ) {
    this.ended = this.read().catch(() => undefined);
  }

  static async open(url: string, headers: Readonly<Record<string, string>>): Promise<EventStream> {
    const leave = new AbortController();
    const response = await fetch(url, { headers: { ...headers, accept: 'text/event-stream' }, signal: leave.signal });
    if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
    return new EventStream(response, leave);
  }

  /** The next entry, whether it has come already or is still to come. */
  next(): Promise<StreamedEntry> {
    const first = this.arrived.shift();
    if (first) return Promise.resolve(first);
    return within(new Promise<StreamedEntry>((resolve) => (this.waiting = resolve)), 'an entry on the stream');
  }

  async nextOf(count: number): Promise<StreamedEntry[]> {
    const entries: StreamedEntry[] = [];
    while (entries.length < count) entries.push(await this.next());
    return entries;
  }

  async close(): Promise<void> {
    this.leave.abort();
    await this.ended;
  }

  private async read(): Promise<void> {
    const decoder = new TextDecoder();
    let text = '';
    for await (const bytes of this.response.body!) {
      text += decoder.decode(bytes, { stream: true });
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        this.take(text.slice(0, end));
        text = text.slice(end + 2);
      }
    }
  }

  private take(block: string): void {
    const fields = new Map(block.split('\n').map((line) => line.split(/: ?(.*)/s, 2) as [string, string]));
    if (fields.get('event') === 'customer') this.changes++;
    if (fields.get('event') !== 'entry') return;
    const entry = { id: fields.get('id')!, entry: JSON.parse(fields.get('data')!) as TimelineEntryDto };
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting) waiting(entry);
    else this.arrived.push(entry);
  }
}
