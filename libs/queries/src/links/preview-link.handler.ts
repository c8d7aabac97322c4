import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { refusal } from '#libs/access';
import { consentGiven } from '#libs/domain';
import { HubError, IdFactory, bytesOfUuid, isUuid, uuidOfBytes, type Uuid } from '#libs/kernel';
import { ProjectionProgress, ReadModel, type LinkStatus } from '#libs/projections';
import { CustomerReader, type CustomerPart } from '../customers/customer-reader.js';
import type { ConsentDto } from '../consents/consents.dto.js';
import type { CustomerDto } from '../customers/customer.dto.js';
import { IdentityFinder } from '../customers/identity-finder.js';
import { Labels } from '../shared/labels.js';
import type { LinkConflictDto, LinkPreviewDto } from './links.dto.js';

/** What to look at: two identities by id or `type:value`, or the id of a link. */
export type PreviewQuestion = { tenant: string } & ({ link: readonly [string, string] } | { retract: string });

export class PreviewLinkQuery extends Query<LinkPreviewDto> {
  constructor(readonly question: PreviewQuestion) {
    super();
  }
}

interface Edge {
  id: Uuid;
  a: number;
  b: number;
}

/**
 * What a link would join or a retraction part. It is what then happens, since a ruling decides its own pair and nothing
 * else; only what arrives meanwhile comes on top.
 */
@QueryHandler(PreviewLinkQuery)
export class PreviewLinkHandler implements IQueryHandler<PreviewLinkQuery> {
  constructor(
    private readonly readModel: ReadModel,
    private readonly labels: Labels,
    private readonly ids: IdFactory,
    private readonly identities: IdentityFinder,
    private readonly reader: CustomerReader,
    private readonly progress: ProjectionProgress,
  ) {}

  async execute({ question }: PreviewLinkQuery): Promise<LinkPreviewDto> {
    const { tenant } = question;
    const position = this.progress.of(tenant).position();
    const preview =
      'link' in question ? await this.link(tenant, question.link) : await this.retract(tenant, question.retract);
    return { ...preview, position };
  }

  private async link(tenant: string, references: readonly [string, string]): Promise<Omit<LinkPreviewDto, 'position'>> {
    const [a, b] = await Promise.all(references.map((reference) => this.identities.find(tenant, reference)));
    const wrong = [a, b].flatMap((found, index) =>
      found
        ? []
        : [
            {
              path: `$.link[${index}]`,
              message: 'names no identity that a contact has carried',
              allowed: 'id of an identity, or type:value',
            },
          ],
    );
    if (!a || !b) throw refusal('LINK.INVALID', wrong);
    if (a.key === b.key)
      throw refusal('LINK.INVALID', [
        { path: '$.link', message: 'names one identity twice', allowed: 'one identity of each customer' },
      ]);
    const link = this.ids.link(tenant, a.id, b.id);
    if (a.customer === b.customer) {
      const same = [await this.reader.read(a.customer)];
      const heldBy = pathBetween(await this.edges(a.customer), a.key, b.key) ?? [];
      return { action: 'link', link, changes: false, before: same, after: same, heldBy, conflicts: [] };
    }
    const sides = [{ customers: [a.customer] }, { customers: [b.customer] }] as const;
    const [before, after, conflicts, ruled] = await Promise.all([
      Promise.all(sides.map((side) => this.reader.readPart(side))),
      this.reader.readPart({ customers: [a.customer, b.customer] }),
      this.conflicts(...sides),
      this.ruledApart(link),
    ]);
    const between = [...ruled, ...conflicts];
    return { action: 'link', link, changes: true, before, after: [after], heldBy: [], conflicts: between };
  }

  private async retract(tenant: string, link: string): Promise<Omit<LinkPreviewDto, 'position'>> {
    const known = await this.find(tenant, link);
    if (!known) throw new HubError('LINK.NOT_FOUND', 'no link has this id');
    if (known.status === 'proposed')
      throw new HubError('LINK.CONFLICT', 'the link is only proposed; reject the proposal instead');
    const { a, b, aCustomer, bCustomer } = known;
    const before = await Promise.all(
      [...new Set([aCustomer, bCustomer])].map((customer) => this.reader.read(customer)),
    );
    const edges = (await this.edges(aCustomer)).filter(({ id }) => id !== link);
    const heldBy = pathBetween(edges, a, b);
    if (heldBy || known.status !== 'active')
      return { action: 'retract', link, changes: false, before, after: before, heldBy: heldBy ?? [], conflicts: [] };
    const reached = reachedFrom(edges, a);
    const members = await this.readModel.db
      .selectFrom('identity')
      .select('key')
      .where('customer', '=', aCustomer)
      .execute();
    const sides = [true, false].map((isNearA): CustomerPart => ({
      customers: [aCustomer],
      identities: members.map(({ key }) => key).filter((key) => reached.has(key) === isNearA),
    })) as [CustomerPart, CustomerPart];
    const [after, conflicts] = await Promise.all([
      Promise.all(sides.map((side) => this.reader.readPart(side))),
      this.conflicts(...sides),
    ]);
    return { action: 'retract', link, changes: true, before, after, heldBy: [], conflicts };
  }

  private async find(tenant: string, link: string) {
    const tenantKey = await this.labels.tenant(tenant);
    if (tenantKey === undefined || !isUuid(link)) return undefined;
    return this.readModel.db
      .selectFrom('link')
      .innerJoin('identity as one', 'one.key', 'link.a')
      .innerJoin('identity as other', 'other.key', 'link.b')
      .select(['link.status', 'link.a', 'link.b', 'one.customer as aCustomer', 'other.customer as bCustomer'])
      .where('link.id', '=', bytesOfUuid(link))
      .where('link.tenant', '=', tenantKey)
      .where('link.status', '<>', 'erased')
      .executeTakeFirst();
  }

  /** The active links of a customer, strongest evidence first. */
  private async edges(customer: number): Promise<Edge[]> {
    const rows = await this.readModel.db
      .selectFrom('link')
      .innerJoin('identity', 'identity.key', 'link.a')
      .select(['link.id', 'link.a', 'link.b'])
      .where('identity.customer', '=', customer)
      .where('link.status', '=', 'active' satisfies LinkStatus)
      .orderBy('link.confidence', 'desc')
      .orderBy('link.key')
      .execute();
    return rows.map(({ id, a, b }) => ({ id: uuidOfBytes(id), a, b }));
  }

  /** An agent may say again what one has said before, but should know of it. */
  private async ruledApart(link: Uuid): Promise<LinkConflictDto[]> {
    const row = await this.readModel.db
      .selectFrom('link')
      .select(['agent', 'reason'])
      .where('id', '=', bytesOfUuid(link))
      .where('status', 'in', ['retracted', 'rejected'] satisfies LinkStatus[])
      .where('agent', 'is not', null)
      .executeTakeFirst();
    if (!row) return [];
    return [{ kind: 'ruled-apart', ...(row.reason !== null && { about: row.reason }), one: [row.agent!], other: [] }];
  }

  private async conflicts(one: CustomerPart, other: CustomerPart): Promise<LinkConflictDto[]> {
    const [ones, others, account, otherAccount] = await Promise.all([
      this.reader.readPart(one),
      this.reader.readPart(other),
      this.provenAccounts(one),
      this.provenAccounts(other),
    ]);
    const conflicts: LinkConflictDto[] = [];
    if (account.length > 0 && otherAccount.length > 0)
      conflicts.push({ kind: 'verified-accounts', one: account, other: otherAccount });
    const [born, otherBorn] = [birthDatesOf(ones), birthDatesOf(others)];
    if (born.length > 0 && otherBorn.length > 0 && !born.some((date) => otherBorn.includes(date)))
      conflicts.push({ kind: 'birth-dates', one: born, other: otherBorn });
    return [...conflicts, ...consentConflicts(ones.consents, others.consents)];
  }

  /** Accounts that a channel has proven or that stand in a customer record. */
  private async provenAccounts({ customers, identities }: CustomerPart): Promise<string[]> {
    const rows = await this.readModel.db
      .selectFrom('identity')
      .select('value')
      .where('customer', 'in', customers)
      .where('type', '=', 'account')
      .$if(identities !== undefined, (query) => query.where('key', 'in', identities!))
      .where((e) =>
        e.or([
          e('verified', '=', 1),
          e.exists(
            e
              .selectFrom('mention')
              .innerJoin('identity as holder', 'holder.key', 'mention.anchor')
              .select('mention.anchor')
              .whereRef('mention.identity', '=', 'identity.key')
              .where('holder.type', '=', 'profile'),
          ),
        ]),
      )
      .orderBy('key')
      .execute();
    return rows.map(({ value }) => value);
  }
}

const birthDatesOf = ({ profiles }: CustomerDto): string[] => [
  ...new Set(profiles.flatMap(({ birthDate }) => (birthDate === undefined ? [] : [birthDate]))),
];

/** On what both sides have answered, and not alike: by purpose, then channel. */
const consentConflicts = (one: readonly ConsentDto[], other: readonly ConsentDto[]): LinkConflictDto[] => {
  const asked = new Map([...one, ...other].map((said) => [`${said.purpose} ${said.channel ?? ''}`, said]));
  return [...asked]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, { purpose, channel }]) => {
      const [given, otherGiven] = [one, other].map((side) => consentGiven(side, purpose, channel));
      if (given === undefined || otherGiven === undefined || given === otherGiven) return [];
      const conflict: LinkConflictDto = {
        kind: 'consents',
        about: purpose,
        one: [given ? 'granted' : 'denied'],
        other: [otherGiven ? 'granted' : 'denied'],
      };
      if (channel !== undefined) conflict.channel = channel;
      return [conflict];
    });
};

const reachedFrom = (edges: readonly Edge[], start: number): ReadonlyMap<number, Edge | undefined> => {
  const beside = new Map<number, Edge[]>();
  for (const edge of edges)
    for (const end of [edge.a, edge.b]) {
      const known = beside.get(end);
      if (known) known.push(edge);
      else beside.set(end, [edge]);
    }
  /** The edge by which each was reached, breadth first. */
  const reached = new Map<number, Edge | undefined>([[start, undefined]]);
  for (const [at] of reached)
    for (const edge of beside.get(at) ?? []) {
      const next = edge.a === at ? edge.b : edge.a;
      if (!reached.has(next)) reached.set(next, edge);
    }
  return reached;
};

/** The fewest links that hold two identities together, undefined where none do. */
const pathBetween = (edges: readonly Edge[], from: number, to: number): Uuid[] | undefined => {
  const reached = reachedFrom(edges, from);
  if (!reached.has(to)) return undefined;
  const path: Uuid[] = [];
  for (let at = to; at !== from;) {
    const edge = reached.get(at)!;
    path.unshift(edge.id);
    at = edge.a === at ? edge.b : edge.a;
  }
  return path;
};
