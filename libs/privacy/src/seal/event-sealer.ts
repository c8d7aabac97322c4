import { ERASED, PRIVACY, type EventPrivacy } from '#libs/domain';
import type { NewEvent, StoredEvent, StreamId } from '#libs/event-store';
import { HubError, isUuid, type Uuid } from '#libs/kernel';
import type { DataKey } from '../vault/key-vault.port.js';
import { SEALED_FORMAT, SEAL_BYTES, seal, unseal } from './cipher.js';

/** An event on its way into the log. */
export interface Draft {
  event: NewEvent;
  /** What is to be sealed, and with whose key; absent where the event holds nothing of the kind. */
  secret?: { subject: Uuid; json: string; clearJson: string };
}

/** A draft that holds something to seal. */
export type SecretDraft = Required<Draft>;

type Fields = Record<string, unknown>;
type Sealed = Pick<StoredEvent, 'id' | 'type' | 'tenant' | 'stream' | 'position' | 'data'>;

const HEADER_BYTES = 3;

/**
 * Seals and opens events as their types declare: the personal fields become one text, `sealed`, beside the clear ones.
 * The text is base64 of format (1 byte), version of the data key (2), IV (12), tag (16) and the fields as JSON,
 * encrypted; it opens only as part of the same event.
 */
export class EventSealer {
  constructor(private readonly privacy: Readonly<Record<string, EventPrivacy>> = PRIVACY) {}

  /** @throws HubError `EVENT_STORE.INVALID_APPEND` when there is something to seal and nobody it belongs to */
  draft(stream: StreamId, event: NewEvent): Draft {
    const data = event.data as Fields;
    const declared = this.privacy[event.type];
    // A type without a declaration is not known here; one that is stored cannot lack it (schemas.spec.ts).
    if (!declared) return { event };
    const { fields } = declared;
    const clear: Fields = {};
    const secret: Fields = {};
    let hidden = false;
    for (const name of Object.keys(data)) {
      const value = data[name];
      if (value === undefined) continue;
      const privacy = fields[name];
      if (privacy === 'clear') clear[name] = value;
      else if (typeof privacy === 'object') {
        const items = value as readonly Fields[];
        clear[name] = items.map((item) => part(item, privacy.each, true));
        secret[name] = items.map((item) => part(item, privacy.each, false));
        hidden ||= items.length > 0;
      } else {
        secret[name] = value;
        hidden = true;
      }
    }
    if (!hidden) return { event };
    const subject = subjectOf(declared, stream, data);
    if (subject === undefined)
      throw new HubError(
        'EVENT_STORE.INVALID_APPEND',
        `${event.type} on ${stream}: ${declared.subject} names no key to seal with`,
      );
    // As text at once: what becomes of the object later changes nothing.
    return { event, secret: { subject, json: JSON.stringify(secret), clearJson: JSON.stringify(clear) } };
  }

  /** The event with the text that is stored of it, sealed with this key. */
  seal({ event, secret: { subject, json, clearJson } }: SecretDraft, { version, secret }: DataKey): NewEvent {
    const sealed = seal(secret, boundTo(event, subject, version), json, headerOf(version)).toString('base64');
    const clear = clearJson.slice(1, -1);
    return { ...event, json: `{${clear}${clear === '' ? '' : ','}"sealed":"${sealed}"}` };
  }

  /** Whose key opens a stored event; undefined when nothing of it is sealed. */
  subjectOf({ type, stream, data }: Pick<StoredEvent, 'type' | 'stream' | 'data'>): Uuid | undefined {
    if (typeof (data as { sealed?: unknown }).sealed !== 'string') return undefined;
    const declared = this.privacy[type];
    return declared && subjectOf(declared, stream, data as Fields);
  }

  /**
   * The data of a sealed event as it was before, or with placeholders when its key is destroyed.
   * @throws HubError `PRIVACY.SEAL_BROKEN`
   */
  open(event: Sealed, subject: Uuid, key: DataKey | undefined): object {
    const { sealed, ...clear } = event.data as { sealed: string } & Fields;
    const bytes = Buffer.from(sealed, 'base64');
    if (bytes[0] !== SEALED_FORMAT || bytes.length < HEADER_BYTES + SEAL_BYTES) throw broken(event);
    const version = bytes.readUInt16BE(1);
    const { fields } = this.privacy[event.type]!;
    // An identity has one live key: any other version is destroyed.
    if (key?.version !== version) return erased(clear, fields);
    let secret: Fields;
    try {
      const plain = unseal(key.secret, boundTo(event, subject, version), bytes, HEADER_BYTES);
      secret = JSON.parse(plain.toString('utf8')) as Fields;
    } catch (cause) {
      throw broken(event, cause);
    }
    for (const name of Object.keys(secret)) {
      const value = secret[name];
      clear[name] =
        typeof fields[name] === 'object'
          ? (value as Fields[]).map((item, i) => ({ ...(clear[name] as Fields[])[i], ...item }))
          : value;
    }
    return clear;
  }
}

const part = (item: Fields, each: Readonly<Record<string, string>>, clear: boolean): Fields => {
  const some: Fields = {};
  for (const name of Object.keys(item)) if ((each[name] === 'clear') === clear) some[name] = item[name];
  return some;
};

const subjectOf = ({ subject }: EventPrivacy, stream: StreamId, data: Fields): Uuid | undefined => {
  const id = subject === 'stream' ? stream.slice(stream.indexOf('-') + 1) : data[subject];
  return typeof id === 'string' && isUuid(id) ? id : undefined;
};

const HEADER_OF_FIRST = Buffer.from([SEALED_FORMAT, 0, 1]);

// Most keys are the first of their identity.
const headerOf = (version: number): Buffer =>
  version === 1 ? HEADER_OF_FIRST : Buffer.from([SEALED_FORMAT, version >> 8, version & 0xff]);

/** What a sealed text belongs to: moved to another event, tenant or identity it does not open. */
const boundTo = ({ tenant, id, type }: Pick<NewEvent, 'tenant' | 'id' | 'type'>, subject: Uuid, version: number) =>
  `hilo event\0${tenant}\0${subject}\0${version}\0${id}\0${type}`;

const erased = (clear: Fields, fields: EventPrivacy['fields']): object => {
  const data: Fields = { ...clear, erased: true };
  for (const [name, privacy] of Object.entries(fields)) {
    if (privacy === 'marked') data[name] = ERASED;
    else if (typeof privacy === 'object') {
      const marks = Object.fromEntries(
        Object.entries(privacy.each).flatMap(([field, how]) => (how === 'marked' ? [[field, ERASED]] : [])),
      );
      data[name] = ((clear[name] ?? []) as Fields[]).map((item) => ({ ...item, ...marks }));
    }
  }
  return data;
};

const broken = ({ position, type, stream }: Sealed, cause?: unknown): HubError =>
  new HubError(
    'PRIVACY.SEAL_BROKEN',
    `${type} at position ${position} of ${stream} does not open: its sealed content was changed, or belongs to another event`,
    { facts: { position, stream }, cause },
  );
