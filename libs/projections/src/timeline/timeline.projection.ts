import type { InteractionContent } from '#libs/domain';
import { DIRECTIONS, INTERACTION_KINDS, bytesOfUuid, instantMs, type Uuid } from '#libs/kernel';
import type { FoldContext } from '../projector/fold-context.js';
import type { EntryTable } from '../read-model/read-model.schema.js';

const HOUR_MS = 3_600_000;
const PREVIEW_CHARS = 120;
const SUBJECT_CHARS = 200;

/** Stored as places in these lists, so they only ever grow at the end. */
export const KIND_CODES: readonly string[] = INTERACTION_KINDS;
export const DIRECTION_CODES: readonly string[] = DIRECTIONS;

/** The first line or so of what was said: white space collapsed, cut at a whole character. */
export const previewOf = (text: string | undefined): string | null => {
  if (!text) return null;
  const start = text.slice(0, PREVIEW_CHARS + 40);
  // Most texts are one plain line, and need no copy.
  const line = /[^\S ]|  /.test(start) ? start.replace(/\s+/g, ' ').trim() : start;
  return cut(line, PREVIEW_CHARS) || null;
};

const cut = (text: string, chars: number): string => {
  if (text.length <= chars) return text;
  const end = text.charCodeAt(chars - 1);
  // A high surrogate at the cut would leave half a character.
  return text.slice(0, end >= 0xd800 && end <= 0xdbff ? chars - 1 : chars);
};

/** Whether a contact arrived over an hour after it was over: a till upload at night, a letter, an outage. */
export const isLate = (content: InteractionContent): boolean =>
  instantMs(content.receivedAt) - instantMs(content.endedAt ?? content.occurredAt) > HOUR_MS;

/** Adds a contact to the timeline of whoever it belongs to. */
export const foldRecorded = async (
  context: FoldContext,
  tenantName: string,
  interaction: Uuid,
  content: InteractionContent,
  position: number,
  recordedAtMs: number,
): Promise<void> => {
  const tenant = await context.tenant(tenantName);
  const { entry, customer } = await entryOf(context, tenant, interaction, content, position, position, recordedAtMs);
  context.addEntry(entry, customer);
};

/** Puts the content of a higher revision in the place of the earlier one; where it was recorded stays. */
export const foldCorrected = async (
  context: FoldContext,
  tenantName: string,
  interaction: Uuid,
  content: InteractionContent,
  position: number,
  recorded: number,
): Promise<void> => {
  const tenant = await context.tenant(tenantName);
  const { entry, customer } = await entryOf(context, tenant, interaction, content, position, recorded, 0);
  await context.flush();
  const { statements, session } = context;
  const place = (await session.all(statements.findEntryPlace, { position: recorded }))[0];
  if (!place) return;
  await session.run(statements.correctEntry, entry);
  if (context.bulk) return;
  await session.run(statements.removeTimeline, { ...place, position: recorded });
  await session.insert(statements.addTimelines, [{ ...entry, customer }]);
};

const entryOf = async (
  context: FoldContext,
  tenant: number,
  interaction: Uuid,
  content: InteractionContent,
  seenAt: number,
  position: number,
  recordedAtMs: number,
): Promise<{ entry: EntryTable; customer: number }> => {
  const occurredAt = instantMs(content.occurredAt);
  let anchor;
  for (const carried of content.identities) {
    if (carried.blocked) continue;
    const row = await context.identity(carried, tenant, seenAt);
    if (carried.identity === content.anchor) anchor = row;
  }
  if (!anchor) throw new Error(`the event at position ${seenAt} names an anchor that it does not carry`);
  if (content.identities.length > 1) {
    for (const carried of content.identities) {
      if (carried.blocked || carried.identity === content.anchor) continue;
      await context.mention((await context.identity(carried, tenant, seenAt)).key, anchor.key);
    }
  }
  // The earliest name stays: whichever order contacts arrive in, the same one is kept.
  if (content.name && (anchor.nameAt === null || occurredAt < anchor.nameAt)) {
    anchor.nameAt = occurredAt;
    await context.session.run(context.statements.nameIdentity, {
      key: anchor.key,
      name: content.name,
      nameAt: occurredAt,
    });
  }
  return {
    customer: anchor.customer,
    entry: {
      position,
      id: bytesOfUuid(interaction),
      identity: anchor.key,
      conversation: await context.conversation(content.conversation, tenant),
      channel: await context.label(content.channel),
      account: await context.label(content.account),
      kind: KIND_CODES.indexOf(content.kind),
      direction: DIRECTION_CODES.indexOf(content.direction),
      occurredAt,
      recordedAt: recordedAtMs,
      late: isLate(content) ? 1 : 0,
      revision: content.revision,
      subject: content.subject ? cut(content.subject, SUBJECT_CHARS) : null,
      preview: previewOf(content.text),
      agent: content.agent ?? null,
      outcome: content.outcome ?? null,
    },
  };
};
