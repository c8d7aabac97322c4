/** https://core.telegram.org/bots/api#update, as far as it is read. Unknown members are ignored. */
export interface TelegramUpdate {
  update_id: number;
  message?: TelegramMessage;
  edited_message?: TelegramMessage;
  business_message?: TelegramMessage;
  edited_business_message?: TelegramMessage;
  callback_query?: TelegramCallbackQuery;
  message_reaction?: TelegramReaction;
}

export interface TelegramMessage {
  /** Unique within the chat only. */
  message_id: number;
  from?: TelegramUser;
  chat: TelegramChat;
  /** Epoch seconds. */
  date: number;
  edit_date?: number;
  message_thread_id?: number;
  is_topic_message?: boolean;
  text?: string;
  caption?: string;
  reply_to_message?: { message_id: number };
  media_group_id?: string;
  forward_origin?: object;
  photo?: TelegramFile[];
  document?: TelegramFile;
  voice?: TelegramFile;
  audio?: TelegramFile;
  video?: TelegramFile;
  video_note?: TelegramFile;
  animation?: TelegramFile;
  sticker?: TelegramFile & { emoji?: string };
  location?: { latitude: number; longitude: number };
  venue?: { title: string; address: string };
  contact?: TelegramContact;
  poll?: { question: string };
  dice?: { emoji: string; value: number };
}

export interface TelegramUser {
  /** Up to 52 bits. */
  id: number;
  is_bot: boolean;
  first_name: string;
  last_name?: string;
  username?: string;
  language_code?: string;
}

export interface TelegramChat {
  /** Negative for groups. */
  id: number;
  type: 'private' | 'group' | 'supergroup' | 'channel';
  title?: string;
  first_name?: string;
  last_name?: string;
  username?: string;
}

export interface TelegramFile {
  file_id: string;
  file_unique_id?: string;
  file_name?: string;
  mime_type?: string;
  file_size?: number;
}

export interface TelegramContact {
  phone_number: string;
  first_name?: string;
  user_id?: number;
}

export interface TelegramCallbackQuery {
  id: string;
  from: TelegramUser;
  message?: TelegramMessage;
  data?: string;
}

export interface TelegramReaction {
  chat: TelegramChat;
  message_id: number;
  user?: TelegramUser;
  date: number;
  new_reaction: { type: string; emoji?: string }[];
}
