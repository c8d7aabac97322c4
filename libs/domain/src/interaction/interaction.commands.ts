import type { InteractionContent } from './interaction.events.js';

/** Keep this contact, exactly once. */
export interface RecordInteraction {
  type: 'RecordInteraction';
  content: InteractionContent;
}

export type InteractionCommand = RecordInteraction;
