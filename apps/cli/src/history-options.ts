import type { Command } from 'commander';
import { isUuid, type Uuid } from '#libs/kernel';
import { type HubSettings } from '#libs/kernel/settings.js';
import { parseHistoryFilter, type HistoryFilter } from '#libs/history';
import { failure, usageError } from './errors.js';
import { REASON_OPTION, noteLookAt, reasonOption } from './note-look.js';
import type { GlobalOptions } from './open-data.js';

/** Options that choose a part of the history. */
export interface FilterOptions extends GlobalOptions {
  from?: string;
  to?: string;
  position?: string;
  toPosition?: string;
  types?: string;
  channels?: string;
  customer?: string;
  tenant?: string;
  reason?: string;
}

export const withFilterOptions = (command: Command): Command =>
  command
    .option('--from <instant>', 'recorded at or after it: 2025-03-02T09:15:00Z, or a day')
    .option('--to <instant>', 'recorded before it')
    .option('--position <number>', 'first position')
    .option('--to-position <number>', 'last position')
    .option('--types <names>', 'event types, comma-separated')
    .option('--channels <names>', 'contacts of these channels, comma-separated')
    .option('--customer <id>', 'a customer by id or by identifier (email:ana@example.com); needs --tenant')
    .option('--tenant <tenant>', 'events of this tenant')
    .option(...REASON_OPTION);

/**
 * The filter that the options describe; a customer stands for all identities joined with it now, and the look at it is
 * written down.
 * @throws HubError `HISTORY.INVALID`, `CLI.USAGE`
 */
export const filterFrom = async (options: FilterOptions, settings: HubSettings): Promise<HistoryFilter> => {
  const { from, to, position, toPosition, types, channels, tenant, customer } = options;
  const text = { from, to, fromPosition: position, toPosition, types, channels, tenant };
  const filter = parseHistoryFilter(
    Object.fromEntries(Object.entries(text).filter(([, value]) => value !== undefined)),
    {
      from: '--from',
      to: '--to',
      fromPosition: '--position',
      toPosition: '--to-position',
      types: '--types',
      channels: '--channels',
      tenant: '--tenant',
    },
  );
  if (customer === undefined) return filter;
  if (tenant === undefined) throw usageError('--customer', 'no tenant is named', 'add --tenant');
  const reason = reasonOption(settings, tenant, options.reason);
  const found = await identitiesOf(customer, tenant, settings);
  await noteLookAt(settings, { tenant, customer: found.id, saw: 'history', reason });
  return { ...filter, customer: found.identities };
};

const identitiesOf = async (
  customer: string,
  tenant: string,
  settings: HubSettings,
): Promise<{ id: Uuid; identities: ReadonlySet<string> }> => {
  const [{ openReadSide }, { FindCustomersQuery }] = await Promise.all([
    import('./read-side.js'),
    import('#libs/queries'),
  ]);
  const side = await openReadSide(settings);
  try {
    const ids = isUuid(customer)
      ? [customer]
      : (await side.queries.execute(new FindCustomersQuery(tenant, customer))).items.map(({ id }) => id);
    if (ids.length > 1)
      throw usageError('--customer', `${customer} stands for ${ids.length} customers`, `name one: ${ids.join(', ')}`);
    const [id] = ids;
    const identities = id === undefined ? undefined : await side.customers.idsInHistory(tenant, id);
    if (id === undefined || !identities) throw failure(`--customer: the tenant ${tenant} has no customer ${customer}`);
    return { id, identities: new Set(identities) };
  } finally {
    await side.close();
  }
};
