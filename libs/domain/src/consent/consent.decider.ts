import type { Decider } from '../decider.js';
import type { ConsentCommand, RecordConsent, StatePreference } from './consent.commands.js';
import type { ConsentEvent, ConsentRecorded, PreferenceStated } from './consent.events.js';

/** What an identity has said last: of consents by purpose and channel, of preferences by purpose. */
export interface Statements {
  consents: Readonly<Record<string, ConsentRecorded['data']>>;
  preferences: Readonly<Record<string, PreferenceStated['data']>>;
}

// No code holds a blank.
const consentKey = ({ purpose, channel }: ConsentRecorded['data']): string => `${purpose} ${channel ?? ''}`;
const preferenceKey = ({ purpose }: PreferenceStated['data']): string => `for ${purpose ?? ''}`;

const recordConsent = ({ statement }: RecordConsent, { consents }: Statements): ConsentEvent[] => {
  const last = consents[consentKey(statement)];
  const isRepeated =
    last?.granted === statement.granted && last.until === statement.until && last.evidence === statement.evidence;
  return isRepeated ? [] : [{ type: 'ConsentRecorded', data: statement }];
};

const statePreference = ({ statement }: StatePreference, { preferences }: Statements): ConsentEvent[] => {
  const last = preferences[preferenceKey(statement)];
  // Only the wish that stands can be taken back.
  if (statement.withdrawn && (!last || last.withdrawn || last.channel !== statement.channel)) return [];
  const isRepeated =
    last?.channel === statement.channel &&
    last.withdrawn === statement.withdrawn &&
    last.until === statement.until &&
    last.evidence === statement.evidence;
  return isRepeated ? [] : [{ type: 'PreferenceStated', data: statement }];
};

/** What people say of consents and preferences of one identity. Saying the same again changes nothing. */
export const consentDecider: Decider<ConsentCommand, Statements, ConsentEvent> = {
  initialState: { consents: {}, preferences: {} },
  decide: (command, state) => {
    switch (command.type) {
      case 'RecordConsent':
        return recordConsent(command, state);
      case 'StatePreference':
        return statePreference(command, state);
    }
  },
  evolve: (state, event) => {
    // What was erased was never said: who says it again is heard.
    if (event.data.erased) return state;
    switch (event.type) {
      case 'ConsentRecorded':
        return { ...state, consents: { ...state.consents, [consentKey(event.data)]: event.data } };
      case 'PreferenceStated':
        return { ...state, preferences: { ...state.preferences, [preferenceKey(event.data)]: event.data } };
    }
  },
};
