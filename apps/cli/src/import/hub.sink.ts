import type { ItemError } from '#libs/channels/ingest/delivery.js';
import { messageOf } from '#libs/kernel';
import { failure } from '../errors.js';
import { readMetrics } from '../hub-http.js';
import type { ContactSink, LineOutcome } from './contact-sink.js';
import type { Outcome } from './import-state.js';
import type { InputLine } from './line-reader.js';
import { hasReceivedAt, textOf, valueOf, type Refusal } from './read-item.js';

interface IngestResult {
  index: number;
  status: Outcome;
  position?: number;
  error?: ItemError;
}

interface IngestAnswer {
  results?: IngestResult[];
  detail?: string;
}

const MAX_TRIES = 60;
const WAIT_BETWEEN_MS = 1000;

/** Through the ingest API of a running hub, one request at a time: two could overtake each other. */
export class HubSink implements ContactSink {
  readonly inFlight = 1;
  readonly name: string;

  constructor(
    private readonly url: string,
    private readonly options: { key: string; profiles: boolean; signal: AbortSignal },
  ) {
    this.name = url;
  }

  async send(lines: readonly InputLine[]): Promise<LineOutcome[]> {
    const good: string[] = [];
    const results: (LineOutcome | undefined)[] = lines.map((line) => {
      const read = valueOf(line);
      if ('error' in read) return rejected(read);
      if (hasReceivedAt(read.value))
        throw failure(
          `line ${line.number} carries receivedAt, which a running hub sets itself: stop the hub and import into its directory to keep it, or take the field out`,
        );
      good.push(textOf(line.bytes));
      return undefined;
    });
    const answers = (good.length === 0 ? [] : await this.post(`${good.join('\n')}\n`)).values();
    return results.map((known) => {
      if (known) return known;
      const { status, position, error } = answers.next().value!;
      return { outcome: status, ...(position !== undefined && { position }), ...(error !== undefined && { error }) };
    });
  }

  async shown(position: number, report: (shown: number, head: number) => void): Promise<void> {
    while (!this.options.signal.aborted) {
      const shown = (await readMetrics(this.url)).get('hilo_read_model_position');
      if (shown === undefined || shown >= position) return;
      report(shown, position);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  async close(): Promise<void> {
    // Nothing is open between two requests.
  }

  private async post(body: string): Promise<IngestResult[]> {
    for (let tries = 1; ; tries++) {
      const response = await this.request(body);
      if (response.status === 503 || response.status === 429) {
        if (tries === MAX_TRIES || this.options.signal.aborted)
          throw failure(`${this.url} takes nothing at the moment (${response.status}); the same command goes on later`);
        const seconds = Number(response.headers.get('retry-after')) || WAIT_BETWEEN_MS / 1000;
        await new Promise((resolve) => setTimeout(resolve, Math.min(seconds * 1000, 10_000)));
        continue;
      }
      const answer = (await response.json().catch(() => ({}))) as IngestAnswer;
      if (answer.results) return answer.results;
      if (response.status === 401 || response.status === 403)
        throw failure(
          `${this.url} does not take this key (${response.status}); give one of role integration or admin with --key`,
        );
      throw failure(`${this.url} answered ${response.status}${answer.detail ? `: ${answer.detail}` : ''}`);
    }
  }

  private async request(body: string): Promise<Response> {
    try {
      return await fetch(new URL(this.options.profiles ? '/v1/profiles' : '/v1/interactions', this.url), {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson', authorization: `Bearer ${this.options.key}` },
        body,
      });
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
      throw failure(`${this.url} cannot be reached (${messageOf(cause)}); the same command goes on once it can`);
    }
  }
}

const rejected = ({ error }: Refusal): LineOutcome => ({ outcome: 'rejected', error });
