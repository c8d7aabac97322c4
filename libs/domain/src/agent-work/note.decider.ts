import { HubError } from '#libs/kernel';
import type { Decider } from '../decider.js';
import type { AddNote } from './agent-work.commands.js';
import type { NoteAdded } from './agent-work.events.js';

/** What the rules must know of a note: what it says. */
export type Note = { status: 'unknown' } | { status: 'added'; text: string };

/** A note is written once; the same request again changes nothing. */
export const noteDecider: Decider<AddNote, Note, NoteAdded> = {
  initialState: { status: 'unknown' },
  decide: ({ content }, state) => {
    if (state.status === 'unknown') return [{ type: 'NoteAdded', data: content }];
    if (state.text === content.text) return [];
    throw new HubError('NOTE.CONFLICT', 'another note was sent under the same Idempotency-Key; send another key');
  },
  evolve: (_state, { data }) => ({ status: 'added', text: data.text }),
};
