import type { ReadModel } from '#libs/projections';

/** Everything that timelines are read from, without the keys of rows: equal where the same is shown, however it was folded. */
export const shownRows = async ({
  db,
}: ReadModel): Promise<Record<'timeline' | 'identity' | 'link' | 'mention', string[]>> => {
  const timeline = await db
    .selectFrom('timeline')
    .innerJoin('entry', 'entry.position', 'timeline.position')
    .innerJoin('identity as customer', 'customer.key', 'timeline.customer')
    .innerJoin('identity as carried', 'carried.key', 'entry.identity')
    .innerJoin('conversation', 'conversation.key', 'entry.conversation')
    .innerJoin('tenant', 'tenant.key', 'conversation.tenant')
    .innerJoin('label as channel', 'channel.key', 'entry.channel')
    .innerJoin('label as account', 'account.key', 'entry.account')
    .select([
      'tenant.text as tenant',
      'customer.id as customer',
      'carried.id as identity',
      'conversation.id as conversation',
      'channel.text as channel',
      'account.text as account',
      'entry.id',
      'entry.position',
      'entry.occurredAt',
      'entry.revision',
      'entry.subject',
      'entry.preview',
      'entry.outcome',
    ]) // prettier-ignore
    .execute();
  const identity = await db
    .selectFrom('identity')
    .innerJoin('identity as customer', 'customer.key', 'identity.customer')
    .innerJoin('tenant', 'tenant.key', 'identity.tenant')
    .select([
      'tenant.text as tenant',
      'identity.id',
      'customer.id as customer',
      'identity.type',
      'identity.value',
      'identity.verified',
      'identity.firstPosition',
      'identity.name',
    ]) // prettier-ignore
    .execute();
  const link = await db.selectFrom('link').select(['id', 'status', 'firstPosition', 'lastPosition']).execute();
  const mention = await db
    .selectFrom('mention')
    .innerJoin('identity', 'identity.key', 'mention.identity')
    .innerJoin('identity as anchor', 'anchor.key', 'mention.anchor')
    .select(['identity.id', 'anchor.id as anchor', 'mention.position'])
    .execute();
  return { timeline: lines(timeline), identity: lines(identity), link: lines(link), mention: lines(mention) };
};

const lines = (rows: readonly object[]): string[] =>
  rows
    .map((row) =>
      JSON.stringify(row, (_, value: unknown) => (isBytes(value) ? Buffer.from(value.data).toString('hex') : value)),
    )
    .toSorted();

/** What `JSON.stringify` makes of a buffer before it asks. */
const isBytes = (value: unknown): value is { data: number[] } =>
  typeof value === 'object' && value !== null && (value as { type?: unknown }).type === 'Buffer';
