import { HubError, type Uuid } from '#libs/kernel';
import type { ParkedStatus } from './parked-messages.port.js';

/** Why a message cannot be settled: it is not there, or it is settled. */
export const notParked = (id: Uuid, status: ParkedStatus | undefined): HubError =>
  status
    ? new HubError('PARKED.SETTLED', `parked message ${id} is already ${status}`, { facts: { id, status } })
    : new HubError('PARKED.NOT_FOUND', `there is no parked message ${id}`, { facts: { id } });
