import { isDeepStrictEqual } from 'node:util';
import { HubError } from '#libs/kernel';
import type { Decider } from '../decider.js';
import type { InteractionCommand, RecordInteraction } from './interaction.commands.js';
import type { CarriedIdentity, InteractionContent, InteractionEvent } from './interaction.events.js';

/**
 * What the rules must know of a contact: what its provider said last, every identity it came with since then, and the
 * fingerprints of the deliveries that said so.
 */
export type Interaction =
  | { status: 'unknown' }
  | { status: 'erased' }
  | {
      status: 'recorded';
      content: InteractionContent;
      identities: readonly CarriedIdentity[];
      digests: readonly string[];
    };

const record = ({ content }: RecordInteraction, state: Interaction): InteractionEvent[] => {
  if (state.status === 'unknown') return [{ type: 'InteractionRecorded', data: content }];
  // Whatever the provider says of it again: recorded, it would tie whom it is about now to whom it was about.
  if (state.status === 'erased') return [];
  const { revision } = state.content;
  if (content.revision > revision) return [{ type: 'InteractionCorrected', data: content }];
  // A lower revision that comes late has been overtaken: what it said is no longer so.
  if (content.revision < revision || state.digests.includes(content.digest)) return [];
  if (isSaidByAnother(content, state.content)) return seeAlias(content, state.content, state.identities);
  throw new HubError(
    'INTERACTION.CONFLICT',
    `another content arrived under the same externalId and revision ${content.revision}; send a higher revision to correct it`,
    { facts: { revision: content.revision } },
  );
};

/** Whether two contents differ in who said it, and in nothing else that a provider tells. */
const isSaidByAnother = (one: InteractionContent, other: InteractionContent): boolean =>
  isDeepStrictEqual(saidIn(one), saidIn(other));

const saidIn = (content: InteractionContent): object => {
  const { anchor: _anchor, identities: _identities, digest: _digest, receivedAt: _receivedAt, ...said } = content;
  return JSON.parse(JSON.stringify(said)) as object;
};

const seeAlias = (
  { identities, digest }: InteractionContent,
  { anchor, kind, occurredAt, name, identities: own }: InteractionContent,
  known: readonly CarriedIdentity[],
): InteractionEvent[] => {
  const aliases = identities.filter(
    (alias) =>
      alias.type !== 'conversation' &&
      !known.some((one) => one.identity === alias.identity && (one.verified ?? !alias.verified)),
  );
  if (aliases.length === 0) return [];
  const anchored = own.find(({ identity }) => identity === anchor);
  const told = [...(anchored ? [anchored] : []), ...aliases.filter(({ identity }) => identity !== anchor)];
  const data = { anchor, identities: told, kind, occurredAt, ...(name !== undefined && { name }), digest };
  return [{ type: 'SenderAliasSeen', data }];
};

export const interactionDecider: Decider<InteractionCommand, Interaction, InteractionEvent> = {
  initialState: { status: 'unknown' },
  decide: (command, state) => {
    switch (command.type) {
      case 'RecordInteraction':
        return record(command, state);
    }
  },
  evolve: (state, event) => {
    switch (event.type) {
      case 'InteractionRecorded':
      case 'InteractionCorrected': {
        const content = event.data;
        if (content.erased) return { status: 'erased' };
        return { status: 'recorded', content, identities: content.identities, digests: [content.digest] };
      }
      case 'SenderAliasSeen': {
        if (state.status !== 'recorded') return state;
        const { identities, digest } = event.data;
        return {
          ...state,
          identities: [...state.identities, ...identities],
          digests: [...state.digests, digest],
        };
      }
    }
  },
};
