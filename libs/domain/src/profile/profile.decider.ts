import type { ProfileImported } from '../identity/identity.events.js';
import type { Decider } from '../decider.js';

/** Keep this customer record of another system. */
export interface ImportProfile {
  type: 'ImportProfile';
  content: ProfileImported['data'];
}

/** What the rules must know of an imported record: what it said last. */
export type Profile = { status: 'unknown' } | { status: 'imported'; digest: string };

/** A record has no history of its own at its source, so whatever differs from the last import is news. */
export const profileDecider: Decider<ImportProfile, Profile, ProfileImported> = {
  initialState: { status: 'unknown' },
  decide: ({ content }, state) =>
    state.status === 'imported' && state.digest === content.digest ? [] : [{ type: 'ProfileImported', data: content }],
  evolve: (_state, event) => ({ status: 'imported', digest: event.data.digest }),
};
