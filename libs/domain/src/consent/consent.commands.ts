import type { ConsentRecorded, PreferenceStated } from './consent.events.js';

/** Keep what a person has allowed or forbidden. */
export interface RecordConsent {
  type: 'RecordConsent';
  statement: Omit<ConsentRecorded['data'], 'erased'>;
}

/** Keep which channel a person prefers, or that they take that back. */
export interface StatePreference {
  type: 'StatePreference';
  statement: Omit<PreferenceStated['data'], 'erased'>;
}

export type ConsentCommand = RecordConsent | StatePreference;
