import { HubError } from '#libs/kernel';
import type { Decider } from '../decider.js';
import type { InteractionCommand, RecordInteraction } from './interaction.commands.js';
import type { InteractionEvent } from './interaction.events.js';

/** What the rules must know of a contact: how far its provider has got, and what it said last. */
export type Interaction =
  { status: 'unknown' } | { status: 'erased' } | { status: 'recorded'; revision: number; digest: string };

const record = ({ content }: RecordInteraction, state: Interaction): InteractionEvent[] => {
  if (state.status === 'unknown') return [{ type: 'InteractionRecorded', data: content }];
  // Whatever the provider says of it again: recorded, it would tie whom it is about now to whom it was about.
  if (state.status === 'erased') return [];
  if (content.revision > state.revision) return [{ type: 'InteractionCorrected', data: content }];
  // A lower revision that comes late has been overtaken: what it said is no longer so.
  if (content.revision < state.revision || content.digest === state.digest) return [];
  throw new HubError(
    'INTERACTION.CONFLICT',
    `another content arrived under the same externalId and revision ${content.revision}; send a higher revision to correct it`,
    { facts: { revision: content.revision } },
  );
};

export const interactionDecider: Decider<InteractionCommand, Interaction, InteractionEvent> = {
  initialState: { status: 'unknown' },
  decide: (command, state) => {
    switch (command.type) {
      case 'RecordInteraction':
        return record(command, state);
    }
  },
  evolve: (_state, event) => {
    switch (event.type) {
      case 'InteractionRecorded':
      case 'InteractionCorrected':
        if (event.data.erased) return { status: 'erased' };
        return { status: 'recorded', revision: event.data.revision, digest: event.data.digest };
    }
  },
};
