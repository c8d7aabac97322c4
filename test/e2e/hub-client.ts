import type { ProblemDetails } from '#libs/access/problem.js';
import type { IngestAnswer } from '#libs/channels/ingest/ingest.service.js';
import type { ConversationDto } from '#libs/queries/conversations/get-conversation.handler.js';
import type { CustomerDto, CustomerListDto } from '#libs/queries/customers/customer.dto.js';
import type { InteractionDto } from '#libs/queries/interactions/get-interaction.handler.js';
import type { ReceiptDto } from '#libs/queries/receipts/get-receipt.handler.js';
import type { TimelinePageDto } from '#libs/queries/timeline/timeline.dto.js';
import { EventStream } from './event-stream.js';

export interface Answer<Body> {
  status: number;
  headers: Headers;
  /** The parsed body; undefined where it is no JSON. */
  body: Body;
  text: string;
}

export type Query = Readonly<Record<string, string | number | undefined>>;
type SentHeaders = Readonly<Record<string, string>>;

/** The API over the wire, with one key. */
export class HubClient {
  constructor(
    readonly url: string,
    private readonly key?: string,
  ) {}

  async request<Body = ProblemDetails>(
    method: string,
    path: string,
    { body, headers = {} }: { body?: string | Uint8Array<ArrayBuffer>; headers?: SentHeaders } = {},
  ): Promise<Answer<Body>> {
    const answer = await fetch(this.url + path, {
      method,
      headers: { ...this.authorization(), ...headers },
      ...(body === undefined ? {} : { body }),
      redirect: 'manual',
    });
    const text = await answer.text();
    const isJson = /json/.test(answer.headers.get('content-type') ?? '');
    return { status: answer.status, headers: answer.headers, text, body: (isJson ? parsed(text) : undefined) as Body };
  }

  get<Body = ProblemDetails>(path: string, query: Query = {}): Promise<Answer<Body>> {
    return this.request('GET', path + queryText(query));
  }

  /** Sends a value as JSON, or a text as the content type given. */
  post<Body = ProblemDetails>(path: string, body: unknown, type = 'application/json', headers: SentHeaders = {}) {
    return this.request<Body>('POST', path, {
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': type, ...headers },
    });
  }

  /** Hands over contacts that must be taken; answers with what became of each. */
  async take(contacts: object, path = '/v1/interactions'): Promise<IngestAnswer['results']> {
    const answer = await this.post<IngestAnswer>(path, contacts);
    if (answer.status !== 202) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
    return answer.body.results;
  }

  /** Everybody an identifier stands for, once the timelines show `atLeast`. */
  async customers(identifier: string, atLeast?: number): Promise<CustomerDto[]> {
    return (await this.mustGet<CustomerListDto>('/v1/customers', { identifier, atLeast })).items;
  }

  /** The one customer an identifier stands for. */
  async customer(identifier: string, atLeast?: number): Promise<CustomerDto> {
    const found = await this.customers(identifier, atLeast);
    if (found.length !== 1) throw new Error(`${identifier} stands for ${found.length} customers`);
    return found[0]!;
  }

  timeline(customer: string, query: Query = {}): Promise<TimelinePageDto> {
    return this.mustGet(`/v1/customers/${customer}/timeline`, query);
  }

  interaction(id: string): Promise<InteractionDto> {
    return this.mustGet(`/v1/interactions/${id}`);
  }

  conversation(id: string, query: Query = {}): Promise<ConversationDto> {
    return this.mustGet(`/v1/conversations/${id}`, query);
  }

  receipt(receipt: string): Promise<ReceiptDto> {
    return this.mustGet(`/v1/receipts/${receipt}`);
  }

  /** Opens the live timeline of a customer. */
  stream(customer: string, lastEventId?: string): Promise<EventStream> {
    return EventStream.open(`${this.url}/v1/customers/${customer}/timeline/stream`, {
      ...this.authorization(),
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    });
  }

  /** @throws Error with the answer's text for any status but 200 */
  async mustGet<Body>(path: string, query: Query = {}): Promise<Body> {
    const answer = await this.get<Body>(path, query);
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
    return answer.body;
  }

  private authorization(): SentHeaders {
    return this.key === undefined ? {} : { authorization: `Bearer ${this.key}` };
  }
}

const queryText = (query: Query): string => {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.append(name, String(value));
  return given.size === 0 ? '' : `?${given.toString()}`;
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // NDJSON, or no JSON at all
  }
};
