import { Injectable } from '@nestjs/common';
import { upcast, type InteractionContent, type InteractionEvent } from '#libs/domain';
import { EventStore, streamId, type Position, type StoredEvent } from '#libs/event-store';
import type { Uuid } from '#libs/kernel';
import type { TimelineEntryDto } from '../timeline/timeline.dto.js';

/** A contact as its stream holds it: its events in order, and the content of the highest revision. */
export interface StoredInteraction {
  events: StoredEvent[];
  content: InteractionContent;
}

/** Reads what lists leave out: the whole content, from the streams themselves. */
@Injectable()
export class Bodies {
  constructor(private readonly store: EventStore) {}

  /** @param through events recorded after this position are left out */
  async find(tenant: string, interaction: Uuid, through?: Position): Promise<StoredInteraction | undefined> {
    const events = await this.eventsOf(interaction, through);
    const last = events.at(-1);
    if (!last || last.tenant !== tenant) return undefined;
    return { events, content: (upcast(last) as InteractionEvent).data };
  }

  /**
   * Puts the body into each entry; entries are of one tenant already.
   * @param through bodies are those of the newest revision recorded up to this position
   */
  async fill(entries: readonly TimelineEntryDto[], through?: Position): Promise<void> {
    await Promise.all(
      entries.map(async (entry) => {
        const last = (await this.eventsOf(entry.id, through)).at(-1);
        if (!last) return;
        const { text, html, attachments, attributes } = (upcast(last) as InteractionEvent).data;
        entry.body = {
          ...(text === undefined ? {} : { text }),
          ...(html === undefined ? {} : { html }),
          ...(attachments === undefined ? {} : { attachments }),
          ...(attributes === undefined ? {} : { attributes }),
        };
      }),
    );
  }

  private async eventsOf(interaction: Uuid, through = Number.POSITIVE_INFINITY): Promise<StoredEvent[]> {
    const events = await this.store.read(streamId('interaction', interaction));
    return events.filter(({ position }) => position <= through);
  }
}
