import { userInfo } from 'node:os';
import { lookEvent, noteLook } from '#libs/access/trail/noted-looks.js';
import { Reasons, isReason } from '#libs/access/trail/reasons.js';
import type { SeenPart } from '#libs/domain';
import { streamId } from '#libs/event-store';
import { SystemClock, toInstant, type Uuid } from '#libs/kernel';
import type { HubSettings } from '#libs/kernel/settings.js';
import { usageError } from './errors.js';
import { isShared } from './open-data.js';

export const REASON_OPTION = ['--reason <code>', 'why the customer is opened, where the tenant asks for it'] as const;

/**
 * The reason that whoever looks gives.
 * @throws HubError `CLI.USAGE` where it is no code, or is missing and the tenant asks for one
 */
export const reasonOption = (settings: HubSettings, tenant: string, reason: string | undefined): string | undefined => {
  const fix = 'give a code such as call-back: lower-case letters, digits and hyphens, at most 40';
  if (reason === undefined && new Reasons(settings.reasonTenants).asks(tenant))
    throw usageError('--reason', `the tenant ${tenant} asks why a customer is opened`, fix);
  const usable: boolean = reason === undefined || isReason(reason);
  if (!usable) throw usageError('--reason', `"${reason}" is no code`, fix);
  return reason;
};

export interface LookTaken {
  tenant: string;
  customer: Uuid;
  saw: SeenPart;
  reason: string | undefined;
}

/**
 * Writes down that the user of this machine looks at a customer; call it before anything is shown.
 * @throws HubError `ACCESS.NOT_NOTED`; of a log on a server `EVENT_STORE.UNAVAILABLE`
 */
export const noteLookAt = async (
  settings: HubSettings,
  { tenant, customer, saw, reason }: LookTaken,
): Promise<void> => {
  const data = {
    by: `machine:${userInfo().username}`,
    customer,
    at: toInstant(new SystemClock().nowMs()),
    saw: [saw],
    reads: 1,
    ...(reason !== undefined && { reason }),
  };
  if (!isShared(settings)) return noteLook(settings.dataDir, tenant, data);
  const { openClusterLog } = await import('../../shared/src/open-cluster.js');
  const log = await openClusterLog(settings, new SystemClock());
  try {
    const event = lookEvent(tenant, data);
    await log.events.append(streamId('access', event.id), [event], 'no_stream');
  } finally {
    await log.close();
  }
};
