import { Injectable } from '@nestjs/common';
import { isContentEvent, upcast, type AgentWorkEvent, type ContentEvent, type InteractionContent } from '#libs/domain';
import { EventStore, streamId, type Position, type StoredEvent, type StreamId } from '#libs/event-store';
import type { Uuid } from '#libs/kernel';
import type { BodyDto, TimelineEntryDto } from '../timeline/timeline.dto.js';

/** A contact as its stream holds it: what was said in order, and the content of the highest revision. */
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
    return { events, content: (upcast(last) as ContentEvent).data };
  }

  /**
   * Puts the body into each entry; entries are of one tenant already.
   * @param through bodies are those of the newest revision recorded up to this position
   */
  async fill(entries: readonly TimelineEntryDto[], through?: Position): Promise<void> {
    await Promise.all(
      entries.map(async (entry) => {
        if (entry.kind === 'note' || entry.kind === 'commitment') {
          const written = await this.upTo(streamId(entry.kind, entry.id), through);
          if (written.length > 0) entry.body = bodyOfWritten(written.map((event) => upcast(event) as AgentWorkEvent));
          return;
        }
        const last = (await this.eventsOf(entry.id, through)).at(-1);
        if (!last) return;
        const { text, html, attachments, attributes } = (upcast(last) as ContentEvent).data;
        entry.body = {
          ...(text === undefined ? {} : { text }),
          ...(html === undefined ? {} : { html }),
          ...(attachments === undefined ? {} : { attachments }),
          ...(attributes === undefined ? {} : { attributes }),
        };
      }),
    );
  }

  private async eventsOf(interaction: Uuid, through?: Position): Promise<StoredEvent[]> {
    const events = await this.upTo(streamId('interaction', interaction), through);
    return events.filter(isContentEvent);
  }

  private async upTo(stream: StreamId, through = Number.POSITIVE_INFINITY): Promise<StoredEvent[]> {
    const events = await this.store.read(stream);
    return events.filter(({ position }) => position <= through);
  }
}

/** What a note or commitment says, and what was said when it ended. */
const bodyOfWritten = (events: readonly AgentWorkEvent[]): BodyDto => {
  const body: BodyDto = {};
  for (const { data } of events) {
    if ('text' in data) body.text = data.text;
    if ('dueAt' in data) body.dueAt = data.dueAt;
    if ('reason' in data) body.reason = data.reason;
  }
  return body;
};
