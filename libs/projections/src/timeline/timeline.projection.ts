import type { ContactSummary } from '#libs/domain';
import { bytesOfUuid, instantMs, type Uuid } from '#libs/kernel';
import { forgetContacts } from '../erasure/forget-contacts.js';
import type { ContactPlaces, FoldContext } from '../projector/fold-context.js';
import type { EntryTable } from '../read-model/read-model.schema.js';
import { DIRECTION_CODES, KIND_CODES } from './codes.js';

const HOUR_MS = 3_600_000;
const PREVIEW_CHARS = 96;
/** Characters of a text that its preview is made of. */
export const PREVIEWED_CHARS = PREVIEW_CHARS + 40;
const SUBJECT_CHARS = 200;

/** The first line or so of what was said: white space collapsed, cut at a whole character. */
export const previewOf = (text: string | undefined): string | null => {
  if (!text) return null;
  const start = text.slice(0, PREVIEWED_CHARS);
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
export const isLate = (
  { receivedAt, endedAt, occurredAt }: ContactSummary,
  occurredAtMs = instantMs(occurredAt),
): boolean => instantMs(receivedAt) - (endedAt === undefined ? occurredAtMs : instantMs(endedAt)) > HOUR_MS;

/** Adds a contact to the timeline of whoever it belongs to; at once where everything it names is in memory. */
export const foldRecorded = (
  context: FoldContext,
  tenant: string,
  interaction: Uuid,
  content: ContactSummary,
  position: number,
  recordedAtMs: number,
): void | Promise<void> => {
  const occurredAt = instantMs(content.occurredAt);
  const add = (places: ContactPlaces) =>
    context.addEntry(
      entryOf(places, interaction, content, occurredAt, position, recordedAtMs),
      context.customerOf(places.anchor),
    );
  const known = context.known(tenant, content, occurredAt);
  if (known) return add(known);
  return context.learn(tenant, content, occurredAt, position).then(async (places) => {
    add(places);
    await forgetErased(context, places);
  });
};

/** A contact that was on its way while the identity it belongs to was erased. */
const forgetErased = async (context: FoldContext, { anchor }: ContactPlaces): Promise<void> => {
  if (anchor.erased === null) return;
  await context.flush();
  await forgetContacts(context, anchor);
};

/** Puts the content of a higher revision in the place of the earlier one; where it was recorded stays. */
export const foldCorrected = async (
  context: FoldContext,
  tenant: string,
  interaction: Uuid,
  content: ContactSummary,
  position: number,
  recorded: number,
): Promise<void> => {
  const occurredAt = instantMs(content.occurredAt);
  const places = await context.learn(tenant, content, occurredAt, position);
  const entry = entryOf(places, interaction, content, occurredAt, recorded, 0);
  await context.flush();
  const { statements, session } = context;
  const place = (await session.all(statements.findEntryPlace, { position: recorded }))[0];
  // Where it was recorded for somebody erased since, there is nothing to correct.
  if (!place) return;
  await session.run(statements.keepEntry, { position: recorded, corrected: position });
  await session.run(statements.correctEntry, entry);
  if (context.bulk) return;
  await session.run(statements.removeTimeline, { ...place, position: recorded });
  await session.insert(statements.addTimelines, [{ ...entry, customer: context.customerOf(places.anchor) }]);
  await forgetErased(context, places);
};

const entryOf = (
  { anchor, conversation, channel, account }: ContactPlaces,
  interaction: Uuid,
  content: ContactSummary,
  occurredAt: number,
  position: number,
  recordedAtMs: number,
): EntryTable => ({
  position,
  id: bytesOfUuid(interaction),
  identity: anchor.key,
  conversation,
  channel,
  account,
  kind: KIND_CODES.indexOf(content.kind),
  direction: DIRECTION_CODES.indexOf(content.direction),
  occurredAt,
  recordedAt: recordedAtMs,
  late: isLate(content, occurredAt) ? 1 : 0,
  revision: content.revision,
  subject: content.subject ? cut(content.subject, SUBJECT_CHARS) : null,
  preview: previewOf(content.text),
  agent: content.agent ?? null,
  outcome: content.outcome ?? null,
});
