import { HubError, toInstant, type Attachment, type AttributeValue, type CustomerIdentifier } from '#libs/kernel';
import type { ParsedDelivery, ParsedInteraction, RawDelivery } from '../channel-adapter.port.js';
import { contactOf } from '../shared/contact.js';
import {
  attributesOf,
  countOf,
  fieldsOf,
  idOf,
  instantOfSeconds,
  lineOf,
  listOf,
  numberOf,
  readJsonObject,
  secondsBetween,
  textOf,
  type Lax,
} from '../shared/lax.js';
import type {
  TelegramCallbackQuery,
  TelegramChat,
  TelegramContact,
  TelegramFile,
  TelegramMessage,
  TelegramReaction,
  TelegramUpdate,
  TelegramUser,
} from './telegram.types.js';

/** Members that are a message in its first or a later wording. */
const messageMembers = ['message', 'edited_message', 'business_message', 'edited_business_message'] as const;
const channelMembers: ReadonlySet<string> = new Set(['channel_post', 'edited_channel_post']);
const fileMembers = ['document', 'voice', 'audio', 'video', 'video_note', 'animation', 'sticker'] as const;

/** One update as contacts. @throws HubError `CHANNEL.UNREADABLE` */
export const parseTelegram = ({ account, body, receivedAtMs }: RawDelivery): ParsedDelivery => {
  const update = readJsonObject<TelegramUpdate>(body);
  const item = idOf(update.update_id);
  if (item === undefined) throw new HubError('CHANNEL.UNREADABLE', 'the update has no update_id');
  const ignore = (reason: string): ParsedDelivery => ({ interactions: [], ignored: [{ reason, item }] });
  const take = (contact: ParsedInteraction | string): ParsedDelivery =>
    typeof contact === 'string' ? ignore(contact) : { interactions: [contact], ignored: [] };

  for (const member of messageMembers) {
    const message = fieldsOf<TelegramMessage>(update[member]);
    if (message) return take(ofMessage(account.name, message));
  }
  const query = fieldsOf<TelegramCallbackQuery>(update.callback_query);
  if (query) return take(ofButton(account.name, query, receivedAtMs));
  const reaction = fieldsOf<TelegramReaction>(update.message_reaction);
  if (reaction) return take(ofReaction(account.name, reaction));
  const member = Object.keys(update).find((key) => key !== 'update_id') ?? 'nothing';
  return ignore(channelMembers.has(member) ? 'channel-post' : `unsupported:${member.slice(0, 40)}`);
};

/** The contact, or why there is none. */
const ofMessage = (account: string, message: Lax<TelegramMessage>): ParsedInteraction | string => {
  const chat = fieldsOf<TelegramChat>(message.chat);
  const from = fieldsOf<TelegramUser>(message.from);
  const [chatId, messageId, occurredAt] = [idOf(chat?.id), idOf(message.message_id), instantOfSeconds(message.date)];
  if (!chat || chatId === undefined || messageId === undefined || occurredAt === undefined) return 'invalid';
  if (chat.type === 'channel') return 'channel-post';
  const content = contentOf(message);
  if (!content) return 'service-message';
  const fromId = idOf(from?.id);
  // In a private chat the chat is the customer; another author is our bot or, in a business chat, our own staff.
  const isOurs = chat.type === 'private' ? fromId !== undefined && fromId !== chatId : from?.is_bot === true;
  const customer =
    isOurs && chat.type === 'private' ? personOf({ ...chat, id: chat.id }) : isOurs ? undefined : personOf(from);
  const contact = fieldsOf<TelegramContact>(message.contact);
  const phone = isOurs ? undefined : phoneOf(contact, fromId);
  const edited = numberOf(message.edit_date);
  return contactOf({
    channel: 'social',
    account,
    externalId: `${chatId}:${messageId}`,
    // An edit in the second of the message is an edit nonetheless.
    revision: edited === undefined ? undefined : 2 + secondsBetween(message.date, edited),
    kind: 'message',
    threadId: threadOf(chatId, message),
    direction: isOurs ? 'outbound' : 'inbound',
    occurredAt,
    customer: customer && { ...customer, identifiers: [...customer.identifiers, ...(phone ?? [])] },
    text: content.text,
    attachments: content.attachments,
    attributes: attributesOf({
      ...content.attributes,
      messageType: content.type,
      chatType: lineOf(chat.type),
      chatTitle: lineOf(chat.title),
      replyTo: idOf(fieldsOf<{ message_id: number }>(message.reply_to_message)?.message_id),
      album: idOf(message.media_group_id),
      forwarded: fieldsOf(message.forward_origin) ? true : undefined,
      editedAt: instantOfSeconds(message.edit_date),
    }),
  });
};

const threadOf = (chatId: string, message: Lax<TelegramMessage>): string => {
  const topic = message.is_topic_message === true ? idOf(message.message_thread_id) : undefined;
  return topic === undefined ? chatId : `${chatId}:${topic}`;
};

const personOf = (
  user: Lax<TelegramUser> | undefined,
): { identifiers: CustomerIdentifier[]; name?: string } | undefined => {
  const id = idOf(user?.id);
  if (!user || id === undefined) return undefined;
  const handle = lineOf(user.username);
  const name = [lineOf(user.first_name), lineOf(user.last_name)].filter((part) => part !== undefined).join(' ');
  return {
    identifiers: [
      { type: 'social', value: `telegram:${id}` },
      ...(handle === undefined ? [] : [{ type: 'handle', value: `telegram:${handle}` }]),
    ],
    ...(name === '' ? {} : { name }),
  };
};

// Telegram vouches for a shared contact only where it is the sender's own card; anybody may share another's.
const phoneOf = (
  contact: Lax<TelegramContact> | undefined,
  fromId: string | undefined,
): CustomerIdentifier[] | undefined => {
  const number = lineOf(contact?.phone_number);
  if (number === undefined || fromId === undefined || idOf(contact?.user_id) !== fromId) return undefined;
  return [{ type: 'phone', value: number.startsWith('+') ? number : `+${number}`, verified: true }];
};

interface Content {
  type: string;
  text?: string;
  attachments: Attachment[];
  attributes: Record<string, AttributeValue | undefined>;
}

/** What was said; undefined for service messages (members joined, title changed, message pinned). */
const contentOf = (message: Lax<TelegramMessage>): Content | undefined => {
  const said = textOf(message.text) ?? textOf(message.caption);
  const content = (type: string, over: Partial<Content> = {}): Content => ({
    type,
    ...(said === undefined ? {} : { text: said }),
    attachments: [],
    attributes: {},
    ...over,
  });
  const photo = fieldsOf<TelegramFile>(listOf(message.photo).at(-1)); // sizes of one picture, the largest last
  if (photo) return content('photo', { attachments: [fileOf(photo, 'image/jpeg')] });
  for (const member of fileMembers) {
    const file = fieldsOf<TelegramFile & { emoji?: string }>(message[member]);
    if (!file) continue;
    const emoji = member === 'sticker' ? textOf(file.emoji) : undefined;
    return content(member, {
      attachments: [fileOf(file)],
      ...(said === undefined && emoji !== undefined ? { text: emoji } : {}),
    });
  }
  const location = fieldsOf<{ latitude: number; longitude: number }>(message.location);
  const venue = fieldsOf<{ title: string; address: string }>(message.venue);
  if (location || venue)
    return content(venue ? 'venue' : 'location', {
      attributes: {
        latitude: coordinate(location?.latitude),
        longitude: coordinate(location?.longitude),
        venue: lineOf(venue?.title),
        address: lineOf(venue?.address),
      },
    });
  const contact = fieldsOf<TelegramContact>(message.contact);
  if (contact)
    return content('contact', {
      attributes: { sharedName: lineOf(contact.first_name), sharedPhone: lineOf(contact.phone_number) },
    });
  const question = textOf(fieldsOf<{ question: string }>(message.poll)?.question);
  if (question !== undefined) return content('poll', { text: question });
  const dice = fieldsOf<{ emoji: string; value: number }>(message.dice);
  if (dice) return content('dice', { text: `${textOf(dice.emoji) ?? 'dice'} ${countOf(dice.value) ?? ''}`.trim() });
  return said === undefined ? undefined : content('text');
};

// Recorded payloads hold coordinates as numbers and as text.
const coordinate = (value: unknown): number | undefined => {
  const number =
    typeof value === 'string' && /^-?\d{1,3}(?:\.\d{1,12})?$/.test(value) ? Number(value) : numberOf(value);
  return number !== undefined && Math.abs(number) <= 180 ? number : undefined;
};

const fileOf = (file: Lax<TelegramFile>, contentType?: string): Attachment => ({
  name: lineOf(file.file_name),
  contentType: lineOf(file.mime_type) ?? contentType,
  bytes: countOf(file.file_size),
  externalId: idOf(file.file_id),
});

// A pressed button has no time of its own: ours stands for it.
const ofButton = (
  account: string,
  query: Lax<TelegramCallbackQuery>,
  receivedAtMs: number,
): ParsedInteraction | string => {
  const [id, customer] = [idOf(query.id), personOf(fieldsOf<TelegramUser>(query.from))];
  if (id === undefined || !customer) return 'invalid';
  const message = fieldsOf<TelegramMessage>(query.message);
  const chatId = idOf(fieldsOf<TelegramChat>(message?.chat)?.id);
  return contactOf({
    channel: 'social',
    account,
    externalId: `callback:${id}`,
    kind: 'message',
    threadId: message && chatId !== undefined ? threadOf(chatId, message) : undefined,
    direction: 'inbound',
    occurredAt: toInstant(receivedAtMs),
    timeIsOurs: true,
    customer,
    text: textOf(query.data),
    attributes: attributesOf({ messageType: 'button', replyTo: idOf(message?.message_id) }),
  });
};

const ofReaction = (account: string, reaction: Lax<TelegramReaction>): ParsedInteraction | string => {
  const [chatId, messageId, occurredAt] = [
    idOf(fieldsOf<TelegramChat>(reaction.chat)?.id),
    idOf(reaction.message_id),
    instantOfSeconds(reaction.date),
  ];
  const user = fieldsOf<TelegramUser>(reaction.user);
  const customer = personOf(user);
  if (chatId === undefined || messageId === undefined || occurredAt === undefined) return 'invalid';
  if (!customer) return 'no-sender';
  const emoji = listOf(reaction.new_reaction)
    .map((r) => textOf(fieldsOf<{ emoji?: string }>(r)?.emoji))
    .filter((e) => e !== undefined);
  if (emoji.length === 0) return 'reaction-removed';
  return contactOf({
    channel: 'social',
    account,
    externalId: `reaction:${chatId}:${messageId}:${idOf(user?.id)}:${String(reaction.date)}`,
    kind: 'feedback',
    threadId: chatId,
    direction: 'inbound',
    occurredAt,
    customer,
    text: emoji.join(' '),
    attributes: { messageType: 'reaction', replyTo: messageId },
  });
};
