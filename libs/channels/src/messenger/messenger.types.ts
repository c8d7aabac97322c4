/** https://developers.facebook.com/docs/messenger-platform/webhooks, as far as it is read. */
export interface MessengerDelivery {
  object: 'page' | 'instagram' | 'whatsapp_business_account';
  entry: MessengerEntry[];
}

export interface MessengerEntry {
  /** Page id. */
  id: string;
  /** Milliseconds beside `messaging`, seconds beside `changes`. */
  time: number;
  messaging?: MessengerItem[];
  /** The same items, while another app owns the thread. */
  standby?: MessengerItem[];
  changes?: { field: string; value: FeedChange }[];
}

export interface MessengerItem {
  sender: { id: string };
  recipient: { id: string };
  /** Milliseconds. */
  timestamp: number;
  message?: MessengerMessage;
  message_edit?: { mid: string; text: string; num_edit: number };
  reaction?: { mid: string; action: 'react' | 'unreact'; emoji?: string; reaction?: string };
  postback?: { mid?: string; title?: string; payload?: string };
  delivery?: object;
  read?: object;
}

export interface MessengerMessage {
  mid: string;
  text?: string;
  is_echo?: boolean;
  app_id?: number;
  is_deleted?: boolean;
  sticker_id?: number;
  quick_reply?: { payload: string };
  reply_to?: { mid: string };
  attachments?: MessengerAttachment[];
}

export interface MessengerAttachment {
  type: string;
  title?: string;
  /** Fallback attachments of older versions. */
  URL?: string;
  url?: string;
  payload?: { url?: string; title?: string; coordinates?: { lat: number; long: number } } | null;
}

export interface FeedChange {
  item: string;
  verb: 'add' | 'edited' | 'edit' | 'remove' | 'hide' | 'unhide';
  comment_id: string;
  post_id: string;
  parent_id?: string;
  from?: { id: string; name?: string };
  message?: string;
  /** Seconds. */
  created_time: number;
  photo?: string;
  video?: string;
  post?: { permalink_url?: string };
}
