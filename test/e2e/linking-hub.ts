import type { LinkOutcomeDto } from '#libs/commands/links/links.dto.js';
import type { CustomerDto } from '#libs/queries/customers/customer.dto.js';
import type { CustomerIdentitiesDto, LinkPreviewDto, LinkProposalPageDto } from '#libs/queries/links/links.dto.js';
import type { Answer, HubClient, Query } from './hub-client.js';
import type { HubProcess } from './hub-process.js';
import { StaffedHub } from './staffed-hub.js';

export const reason = 'said so on the phone';

export const identifierOf = (text: string) => {
  const [type, value] = text.split(/:(.*)/s, 2);
  return { type, value };
};

let serial = 0;

/** A contact of its own of whoever these identifiers name. */
export const contact = (identifiers: string[], over: object = {}, name?: string): Record<string, unknown> => ({
  channel: 'email',
  account: 'care@acme.example',
  externalId: `contact-${++serial}`,
  kind: 'message',
  occurredAt: new Date(Date.UTC(2025, 2, 1, 0, 0, serial)).toISOString(),
  customer: { identifiers: identifiers.map(identifierOf), ...(name === undefined ? {} : { name }) },
  ...over,
});

export const must = <Body>({ status, text, body }: Answer<Body>): Body => {
  if (status !== 200) throw new Error(`answered ${status}: ${text}`);
  return body;
};

/** A hub with a supervisor who links. */
export class LinkingHub {
  private readonly staff = new StaffedHub();
  supervisor!: HubClient;

  constructor() {
    beforeAll(async () => {
      this.supervisor = await this.process.client('supervisor');
    });
  }

  get process(): HubProcess {
    return this.staff.process;
  }

  get sender(): HubClient {
    return this.staff.sender;
  }

  get reader(): HubClient {
    return this.staff.reader;
  }

  /** Takes contacts or profiles, waits until the timelines show them and what follows, and answers with their receipts. */
  readonly tell = async (items: object[], path?: string): Promise<string[]> => {
    const results = await this.sender.take(items, path);
    await this.shown(Math.max(...results.map(({ position }) => position ?? 0)));
    return results.map(({ receipt }) => receipt!);
  };

  private readonly post = async <Body>(path: string, body?: object): Promise<Body> =>
    must(await this.supervisor.post<Body>(path, body ?? ''));

  /** A command, once the read model shows what it did. */
  readonly ruled = async (path: string, body?: object): Promise<LinkOutcomeDto> => {
    const outcome = await this.post<LinkOutcomeDto>(path, body);
    await this.shown(outcome.position);
    return outcome;
  };

  readonly link = (one: string, other: string): Promise<LinkOutcomeDto> =>
    this.ruled('/v1/links', { identities: [one, other], reason });
  readonly retract = (id: string): Promise<LinkOutcomeDto> => this.ruled(`/v1/links/${id}/retract`, { reason });
  readonly preview = (of: object): Promise<LinkPreviewDto> => this.post('/v1/links/preview', of);
  readonly proposals = (query: Query = {}): Promise<LinkProposalPageDto> =>
    this.reader.mustGet('/v1/link-proposals', query);
  readonly identitiesOf = (customer: string, query: Query = {}): Promise<CustomerIdentitiesDto> =>
    this.reader.mustGet(`/v1/customers/${customer}/identities`, query);

  /** Everything agents see of a customer: header and timeline, oldest first. */
  readonly seenAs = async (identifier: string): Promise<{ header: CustomerDto; timeline: string[] }> => {
    const [header] = await this.reader.customers(identifier);
    const { items } = await this.reader.timeline(header!.id, { limit: 100 });
    return { header: header!, timeline: items.map(({ id }) => id).toReversed() };
  };

  private async shown(position: number): Promise<void> {
    await this.reader.customers('email:nobody@example.com', position);
  }
}
