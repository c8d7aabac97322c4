import type { Attachment, AttributeValue } from '#libs/kernel';
import type { IgnoredItem, ParsedDelivery, ParsedInteraction, RawDelivery } from '../channel-adapter.port.js';
import { contactOf, sha256 } from '../shared/contact.js';
import {
  attributesOf,
  countOf,
  fieldsOf,
  idOf,
  instantOfMs,
  instantOfSeconds,
  lineOf,
  listOf,
  numberOf,
  secondsBetween,
  readJsonObject,
  textOf,
  type Lax,
} from '../shared/lax.js';
import type {
  FeedChange,
  MessengerAttachment,
  MessengerDelivery,
  MessengerEntry,
  MessengerItem,
  MessengerMessage,
} from './messenger.types.js';

/** A contact, or why there is none. */
type Reading = ParsedInteraction | string;

/** Every message, postback, reaction and comment of a delivery. @throws HubError `CHANNEL.UNREADABLE` */
export const parseMessenger = ({ account, body }: RawDelivery): ParsedDelivery => {
  const delivery = readJsonObject<MessengerDelivery>(body);
  const interactions: ParsedInteraction[] = [];
  const ignored: IgnoredItem[] = [];
  const add = (item: string, reading: Reading): void => {
    if (typeof reading === 'string') ignored.push({ reason: reading, item });
    else interactions.push(reading);
  };
  if (delivery.object !== 'page') add('object', `unsupported:${lineOf(delivery.object)?.slice(0, 40) ?? 'object'}`);
  else
    listOf(delivery.entry).forEach((one, e) => {
      const entry = fieldsOf<MessengerEntry>(one);
      const pageId = idOf(entry?.id);
      if (!entry || pageId === undefined) return add(`entry[${e}]`, 'invalid');
      [...listOf(entry.messaging), ...listOf(entry.standby)].forEach((item, m) =>
        add(`entry[${e}].messaging[${m}]`, ofItem(account.name, pageId, item)),
      );
      listOf(entry.changes).forEach((change, c) =>
        add(`entry[${e}].changes[${c}]`, ofChange(account.name, pageId, entry, change)),
      );
    });
  return { interactions, ignored };
};

const ofItem = (account: string, pageId: string, value: unknown): Reading => {
  const item = fieldsOf<MessengerItem>(value);
  if (!item) return 'invalid';
  if (fieldsOf(item.delivery)) return 'delivery-receipt';
  if (fieldsOf(item.read)) return 'read-receipt';
  const message = fieldsOf<MessengerMessage>(item.message);
  const [sender, recipient] = [
    idOf(fieldsOf<{ id: string }>(item.sender)?.id),
    idOf(fieldsOf<{ id: string }>(item.recipient)?.id),
  ];
  // An echo is our own message coming back: the page speaks, the person is the recipient.
  const isEcho = message?.is_echo === true || (sender !== undefined && sender === pageId);
  const psid = isEcho ? recipient : sender;
  if (psid === undefined) return 'no-sender';
  const occurredAt = instantOfMs(item.timestamp);
  if (occurredAt === undefined) return 'invalid';

  const contact = (externalId: string, over: Partial<ParsedInteraction>): ParsedInteraction =>
    contactOf({
      channel: 'social',
      account,
      externalId,
      kind: 'message',
      threadId: `${pageId}:${psid}`,
      direction: isEcho ? 'outbound' : 'inbound',
      occurredAt,
      // Page-scoped: the same human has another id on another page.
      customer: { identifiers: [{ type: 'social', value: `messenger:${pageId}:${psid}` }] },
      ...over,
    });

  if (message) return ofMessage(message, contact);
  const postback = fieldsOf<NonNullable<MessengerItem['postback']>>(item.postback);
  if (postback) {
    const payload = textOf(postback.payload);
    const externalId =
      idOf(postback.mid) ?? `postback:${psid}:${String(item.timestamp)}:${sha256(payload ?? '').slice(0, 16)}`;
    return contact(externalId, {
      text: textOf(postback.title) ?? payload,
      attributes: attributesOf({ messageType: 'postback', payload: payload?.slice(0, 1000) }),
    });
  }
  const reaction = fieldsOf<NonNullable<MessengerItem['reaction']>>(item.reaction);
  if (reaction) {
    const mid = idOf(reaction.mid);
    if (mid === undefined) return 'invalid';
    if (reaction.action === 'unreact') return 'reaction-removed';
    return contact(`reaction:${mid}:${psid}:${String(item.timestamp)}`, {
      kind: 'feedback',
      text: textOf(reaction.emoji) ?? textOf(reaction.reaction),
      attributes: attributesOf({ messageType: 'reaction', reaction: lineOf(reaction.reaction), replyTo: mid }),
    });
  }
  const edit = fieldsOf<NonNullable<MessengerItem['message_edit']>>(item.message_edit);
  if (edit) {
    const [mid, count] = [idOf(edit.mid), countOf(edit.num_edit)];
    if (mid === undefined) return 'invalid';
    return contact(mid, {
      revision: 1 + Math.min(Math.max(1, count ?? 1), 2 ** 32),
      text: textOf(edit.text),
      attributes: { edited: true },
    });
  }
  const member = Object.keys(item).find((key) => !['sender', 'recipient', 'timestamp'].includes(key)) ?? 'nothing';
  return `unsupported:${member.slice(0, 40)}`;
};

const ofMessage = (
  message: Lax<MessengerMessage>,
  contact: (externalId: string, over: Partial<ParsedInteraction>) => ParsedInteraction,
): Reading => {
  const mid = idOf(message.mid);
  if (mid === undefined) return 'invalid';
  if (message.is_deleted === true) return 'unsupported:deleted';
  const parts = listOf(message.attachments)
    .map((a) => fieldsOf<MessengerAttachment>(a))
    .filter((a) => a !== undefined);
  const types = parts.map((part) => lineOf(part.type)).filter((type) => type !== undefined);
  const text = textOf(message.text) ?? parts.map((part) => textOf(part.title)).find((title) => title !== undefined);
  return contact(mid, {
    text,
    attachments: parts.map(attachmentOf).filter((a) => a.url !== undefined),
    attributes: attributesOf({
      messageType: idOf(message.sticker_id) !== undefined ? 'sticker' : types[0],
      quickReply: textOf(fieldsOf<{ payload: string }>(message.quick_reply)?.payload)?.slice(0, 1000),
      replyTo: idOf(fieldsOf<{ mid: string }>(message.reply_to)?.mid),
      sticker: idOf(message.sticker_id),
      ...locationOf(parts),
    }),
  });
};

const attachmentOf = (part: Lax<MessengerAttachment>): Attachment => {
  const payload = fieldsOf<NonNullable<MessengerAttachment['payload']>>(part.payload);
  return { name: lineOf(part.title), url: urlOf(payload?.url) ?? urlOf(part.url) ?? urlOf(part.URL) };
};

const urlOf = (value: unknown): string | undefined =>
  typeof value === 'string' && /^https?:\/\/\S{1,4000}$/i.test(value) ? value.toWellFormed() : undefined;

const locationOf = (parts: readonly Lax<MessengerAttachment>[]): Record<string, AttributeValue | undefined> => {
  for (const part of parts) {
    const payload = fieldsOf<NonNullable<MessengerAttachment['payload']>>(part.payload);
    const at = fieldsOf<{ lat: number; long: number }>(payload?.coordinates);
    if (at) return { latitude: numberOf(at.lat), longitude: numberOf(at.long) };
  }
  return {};
};

const ofChange = (account: string, pageId: string, entry: Lax<MessengerEntry>, value: unknown): Reading => {
  const change = fieldsOf<{ field: string; value: FeedChange }>(value);
  const feed = fieldsOf<FeedChange>(change?.value);
  if (!change || !feed) return 'invalid';
  const what = change.field === 'feed' ? lineOf(feed.item) : lineOf(change.field);
  if (change.field !== 'feed' || feed.item !== 'comment') return `unsupported:${what?.slice(0, 40) ?? 'change'}`;
  if (feed.verb === 'remove') return 'comment-removed';
  if (feed.verb !== 'add' && feed.verb !== 'edited' && feed.verb !== 'edit')
    return `unsupported:comment-${lineOf(feed.verb)?.slice(0, 20) ?? 'change'}`;
  const [commentId, occurredAt] = [idOf(feed.comment_id), instantOfSeconds(feed.created_time)];
  if (commentId === undefined || occurredAt === undefined) return 'invalid';
  const author = fieldsOf<{ id: string; name?: string }>(feed.from);
  const [authorId, postId, parentId] = [idOf(author?.id), idOf(feed.post_id), idOf(feed.parent_id)];
  const isOurs = authorId === pageId;
  const name = lineOf(author?.name);
  // An edit keeps the time of the comment; how much later it came is all that orders two edits.
  const editedAfterSeconds = secondsBetween(feed.created_time, entry.time);
  return contactOf({
    channel: 'social',
    account,
    externalId: `comment:${commentId}`,
    revision: feed.verb === 'add' ? undefined : 2 + editedAfterSeconds,
    kind: 'message',
    // A reply belongs to the comment it answers, a top comment opens a conversation.
    threadId: `comment:${parentId === undefined || parentId === postId ? commentId : parentId}`,
    direction: isOurs ? 'outbound' : 'inbound',
    occurredAt,
    customer:
      isOurs || authorId === undefined
        ? undefined
        : {
            identifiers: [{ type: 'social', value: `facebook:${pageId}:${authorId}` }],
            ...(name === undefined ? {} : { name }),
          },
    text: textOf(feed.message),
    attachments: [feed.photo, feed.video]
      .map(urlOf)
      .filter((url) => url !== undefined)
      .map((url) => ({ url })),
    attributes: attributesOf({
      messageType: 'comment',
      public: true,
      post: postId,
      postUrl: urlOf(fieldsOf<{ permalink_url?: string }>(feed.post)?.permalink_url),
    }),
  });
};
