import { HubError } from '#libs/kernel';
import type { Decider, DomainEvent } from '../decider.js';
import type { ErasureCompleted, ErasureEvent, ErasureRequested, IdentityErased } from './erasure.events.js';

export type ErasureCommand =
  | { type: 'RequestErasure'; request: ErasureRequested['data'] }
  | { type: 'CompleteErasure'; certificate: ErasureCompleted['data'] };

export type Erasure =
  | { status: 'unknown' }
  | { status: 'requested'; request: ErasureRequested['data'] }
  | { status: 'completed'; certificate: ErasureCompleted['data'] };

/** Asked for once, completed once; whatever is said again changes nothing. */
export const erasureDecider: Decider<ErasureCommand, Erasure, ErasureEvent> = {
  initialState: { status: 'unknown' },
  decide: (command, state) => {
    switch (command.type) {
      case 'RequestErasure':
        return state.status === 'unknown' ? [{ type: 'ErasureRequested', data: command.request }] : [];
      case 'CompleteErasure':
        if (state.status === 'unknown') throw new HubError('ERASURE.NOT_FOUND', 'no erasure has this id');
        return state.status === 'requested' ? [{ type: 'ErasureCompleted', data: command.certificate }] : [];
    }
  },
  evolve: (_state, event) => {
    switch (event.type) {
      case 'ErasureRequested':
        return { status: 'requested', request: event.data };
      case 'ErasureCompleted':
        return { status: 'completed', certificate: event.data };
    }
  },
};

export interface EraseIdentity {
  type: 'EraseIdentity';
  erased: IdentityErased['data'];
}

/** An identity is erased once, whatever else its stream holds. */
export const eraseIdentityDecider: Decider<EraseIdentity, { erased: boolean }, IdentityErased> = {
  initialState: { erased: false },
  decide: ({ erased }, state) => (state.erased ? [] : [{ type: 'IdentityErased', data: erased }]),
  evolve: (state, { type }: DomainEvent) => ({ erased: state.erased || type === 'IdentityErased' }),
};
