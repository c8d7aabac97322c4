import type {
  IdentitiesLinked,
  LinkConfirmed,
  LinkProposed,
  LinkRejected,
  LinkRetracted,
  ProfileImported,
} from '#libs/domain';
import { instantMs, uuidOfBytes } from '#libs/kernel';
import { foldProfileConsents } from '../consents/consents.projection.js';
import type { FoldContext } from '../projector/fold-context.js';
import type { ReadModelSession } from '../read-model/read-model.port.js';
import type { LinkStatus } from '../read-model/read-model.schema.js';
import { LINKS_A_QUESTION, type FoldStatements } from '../projector/statements.js';
import { customersOfLinks, type ActiveLink } from './customers-of-links.js';

/**
 * A customer is the set of identities that active links join; its key is the lowest (earliest) identity key in it.
 * Joining and parting re-key rows, which is safe: they are derived, and what they derive from never moves. A bulk write
 * derives them at its end, from the links that are active then.
 */
export const foldLinked = async (
  context: FoldContext,
  tenantName: string,
  event: IdentitiesLinked | LinkConfirmed | LinkProposed,
  position: number,
): Promise<void> => {
  const { session, statements } = context;
  const { data } = event;
  const known = await context.findLink(data.link);
  if (known?.status === 'erased') return;
  const status: LinkStatus = event.type === 'LinkProposed' ? 'proposed' : 'active';
  const decision = {
    status,
    evidence: 'evidence' in data ? data.evidence : 'agent',
    confidence: 'confidence' in data ? data.confidence : 1,
    rule: ('rule' in data && data.rule) || null,
    agent: ('by' in data && data.by?.agent) || null,
    reason: ('reason' in data && data.reason) || null,
    position,
  };
  if (known) {
    await session.run(statements.keepLink, { key: known.key, position });
    await session.run(statements.updateLink, { key: known.key, ...decision });
    const before = known.status;
    known.status = status;
    if (status === 'active' && before !== 'active') await join(context, known.a, known.b);
    if (status !== 'active' && before === 'active') await part(context, known.a, known.b);
    return;
  }
  if (!('a' in data)) return;
  const a = await context.findIdentity(data.a);
  const b = await context.findIdentity(data.b);
  if (!a || !b) throw new Error(`the link at position ${position} joins an identity that no earlier event carried`);
  if (a.erased !== null || b.erased !== null) return;
  const tenant = await context.tenant(tenantName);
  await context.addLink(data.link, { tenant, a: a.key, b: b.key, ...decision });
  if (status === 'active') await joinCustomers(context, context.customerOf(a), context.customerOf(b));
};

export const foldUnlinked = async (
  context: FoldContext,
  event: LinkRetracted | LinkRejected,
  position: number,
): Promise<void> => {
  const { session, statements } = context;
  const known = await context.findLink(event.data.link);
  if (!known || known.status === 'erased') return;
  const status: LinkStatus = event.type === 'LinkRejected' ? 'rejected' : 'retracted';
  await session.run(statements.keepLink, { key: known.key, position });
  await session.run(statements.endLink, {
    key: known.key,
    status,
    agent: event.data.by?.agent ?? null,
    reason: event.data.reason ?? null,
    position,
  });
  const before = known.status;
  known.status = status;
  if (before === 'active') await part(context, known.a, known.b);
};

export const foldProfile = async (
  context: FoldContext,
  tenantName: string,
  { data }: ProfileImported,
  position: number,
  recordedAtMs: number,
): Promise<void> => {
  const tenant = await context.tenant(tenantName);
  const { session, statements } = context;
  const own = await context.identity(
    { identity: data.profile, type: 'profile', value: `${data.source}:${data.externalId}` },
    tenant,
    position,
    !data.erased,
  );
  if (own.erased !== null) return;
  for (const carried of data.identities) {
    if (carried.blocked) continue;
    await context.mention(await context.identity(carried, tenant, position, !data.erased), own, position);
  }
  const { identities: _identities, profile: _profile, digest: _digest, ...shown } = data;
  await session.run(statements.keepProfile, { identity: own.key, position });
  await session.run(statements.putProfile, { identity: own.key, position, data: JSON.stringify(shown) });
  await foldProfileConsents(context, own.key, data, position, recordedAtMs);
  const name = data.name ?? ([data.givenName, data.familyName].filter(Boolean).join(' ') || undefined);
  if (name && own.nameAt === null)
    await context.name(own, name, data.createdAt ? instantMs(data.createdAt) : 0, position);
};

/** Whose each identity is, by the links there are: what a bulk write has left out. */
export const deriveCustomers = async (session: ReadModelSession, statements: FoldStatements): Promise<void> => {
  const links: ActiveLink[] = [];
  for (let after = 0, full = true; full;) {
    const page = await session.all(statements.activeLinks, { after });
    links.push(...page);
    after = page.at(-1)?.key ?? after;
    full = page.length === LINKS_A_QUESTION;
  }
  await session.run(statements.partCustomers, {});
  for (const joined of customersOfLinks(links)) await session.run(statements.setCustomer, joined);
};

const join = async (context: FoldContext, a: number, b: number): Promise<void> => {
  if (!context.bulk) await joinCustomers(context, await customerOf(context, a), await customerOf(context, b));
};

const customerOf = async (context: FoldContext, identity: number): Promise<number> =>
  (await context.session.all(context.statements.customerOf, { identity }))[0]!.customer;

const joinCustomers = async (context: FoldContext, one: number, other: number): Promise<void> => {
  if (!context.bulk && one !== other) await context.join(Math.max(one, other), Math.min(one, other));
};

/** Walks what is still linked with `a`; where `b` is no longer among it, the two halves become customers of their own. */
export const part = async (context: FoldContext, a: number, b: number): Promise<void> => {
  if (context.bulk) return;
  const { session, statements } = context;
  await context.settle();
  await context.flush();
  const before = await customerOf(context, a);
  const reached = new Set([a]);
  for (const identity of reached) {
    for (const { neighbour } of await session.all(statements.linkedTo, { identity, active: 'active' }))
      reached.add(neighbour);
  }
  if (reached.has(b)) return;
  const members = (await session.all(statements.membersOf, { customer: before })).map(({ key }) => key);
  const rest = members.filter((key) => !reached.has(key));
  for (const half of [[...reached], rest]) {
    const to = Math.min(...half);
    if (to === before) continue;
    for (const key of half) {
      const moved = await session.all(statements.moveIdentity, { key, to });
      context.moved(
        moved.map(({ id }) => uuidOfBytes(id)),
        to,
      );
      await session.run(statements.moveTimeline, { from: before, to, identity: key });
    }
  }
};
