import { hash } from 'node:crypto';

/** A lower-case UUID text, 36 characters. */
export type Uuid = string;

/** The UUID of 16 bytes; SQLite drivers hand blobs out as either type. */
export const uuidOfBytes = (source: Uint8Array | ArrayBuffer): Uuid => {
  const bytes = source instanceof Uint8Array ? source : new Uint8Array(source);
  for (let i = 0; i < 16; i++) {
    uuidText[PLACES[i]!] = DIGITS[bytes[i]! >> 4]!;
    uuidText[PLACES[i]! + 1] = DIGITS[bytes[i]! & 15]!;
  }
  return uuidText.toString('latin1');
};

/** The UUID of 32 hex digits, of either case. */
export const uuidOfHex = (digits: string): Uuid => {
  const hex = digits.toLowerCase();
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
};

/** The 16 bytes of a UUID. */
export const bytesOfUuid = (uuid: Uuid): Buffer => {
  const bytes = Buffer.allocUnsafe(16);
  for (let i = 0; i < 16; i++) {
    const place = PLACES[i]!;
    bytes[i] = (VALUES[uuid.charCodeAt(place)]! << 4) | VALUES[uuid.charCodeAt(place + 1)]!;
  }
  return bytes;
};

// Several of these are converted for every event, digit by digit: by way of hex texts it costs four times as much.
const PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const DIGITS = Buffer.from('0123456789abcdef');
const VALUES = new Uint8Array(256);
for (const [value, digit] of DIGITS.entries()) {
  VALUES[digit] = value;
  VALUES[String.fromCharCode(digit).toUpperCase().charCodeAt(0)] = value;
}
const uuidText = Buffer.alloc(36, '-');

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const isUuid = (text: string): text is Uuid => uuidForm.test(text);

/** The ids that an erasure has ended for good. It only ever grows. */
export interface ErasedIds {
  readonly size: number;
  has(id: Uuid): boolean;
}

const BLOCK_BYTES = 64;
const HASH_BYTES = 32;
const LONGEST_IN_PLACE = 1024;

/**
 * Derives every id of the hub from its content by HMAC-SHA256 under the installation's pepper: the same provider
 * message has the same id for ever, and nobody without the pepper can test a guess. Version and variant bits follow
 * RFC 9562 (version 8, custom).
 */
export class IdFactory {
  private readonly prefix: string;
  /** Begin with the pads of the key, which every HMAC hashes first; what follows is written anew each time. */
  private readonly inner: Buffer;
  private readonly outer: Buffer;

  /**
   * @param pepper at most 64 bytes
   * @param erased ids that are not given again
   */
  constructor(
    private readonly pepper: Buffer,
    private readonly erased: ErasedIds = NOTHING_ERASED,
  ) {
    this.prefix = pepper.toString('base64url');
    const key = Buffer.alloc(BLOCK_BYTES);
    pepper.copy(key);
    this.inner = padded(key, 0x36, LONGEST_IN_PLACE);
    this.outer = padded(key, 0x5c, HASH_BYTES);
  }

  /** The same ids, but for those that were erased. */
  after(erased: ErasedIds): IdFactory {
    return new IdFactory(this.pepper, erased);
  }

  /** Grows with every erased id: who remembers ids forgets them when it does. */
  get erasures(): number {
    return this.erased.size;
  }

  /** The receipt and stream id of one contact. */
  interaction(tenant: string, channel: string, account: string, externalId: string): Uuid {
    return this.derive('interaction', tenant, channel, account, externalId);
  }

  /** The conversation of a provider thread; a contact without a thread is a conversation of its own. */
  conversation(tenant: string, channel: string, account: string, threadId: string): Uuid {
    return this.unerased('conversation', tenant, channel, account, threadId);
  }

  /** One normalised identifier in one tenant. */
  identity(tenant: string, type: string, value: string): Uuid {
    return this.unerased('identity', tenant, type, value);
  }

  /** The time before its present holders in which an identity was somebody else's; the oldest is number 0. */
  formerEra(identity: Uuid, number: number): Uuid {
    return this.unerased('former era', identity, String(number));
  }

  /** The link stream of two identities, the same whichever comes first. */
  link(tenant: string, a: Uuid, b: Uuid): Uuid {
    return a < b ? this.derive('link', tenant, a, b) : this.derive('link', tenant, b, a);
  }

  /** A note or commitment: the same request of the same caller to a conversation, sent again, has the same id. */
  written(kind: 'note' | 'commitment', tenant: string, conversation: Uuid, caller: string, key: string): Uuid {
    return this.derive(kind, tenant, conversation, caller, key);
  }

  /** A parked message: the same content for the same contact, parked for the same reason. */
  parked(receipt: Uuid, digest: string, reasonCode: string): Uuid {
    return this.derive('parked', receipt, digest, reasonCode);
  }

  /** The command of one delivery of a contact; the same delivery, handed over again, has the same id. */
  command(receipt: Uuid, delivery: string): Uuid {
    return this.derive('command', receipt, delivery);
  }

  /** The id of the event at a revision of a stream, decided from content with this digest. */
  event(stream: string, revision: number, digest: string): Uuid {
    return this.derive('event', stream, String(revision), digest);
  }

  /**
   * Fingerprint of content, 16 characters (96 bits of SHA-256 behind the secret pepper): equal content, equal digest;
   * tells nothing without the pepper. Most of the hash is cut off, so that it cannot be extended either.
   */
  digest(content: string): string {
    return hash('sha256', this.prefix + content, 'base64url').slice(0, 16);
  }

  /** A keyed hash of one comparison token (a name, a birth date), 16 characters. */
  token(tenant: string, kind: string, value: string): string {
    return this.digest(`token\u0000${tenant}\u0000${kind}\u0000${value}`);
  }

  // What was erased starts afresh under the hash of the same parts and a number. Only who knows the parts can tell that two
  // such hashes belong together: the pepper alone does not.
  private unerased(...parts: string[]): Uuid {
    let id = this.derive(...parts);
    for (let again = 1; this.erased.size > 0 && this.erased.has(id); again++)
      id = this.derive(...parts, 'after erasure', String(again));
    return id;
  }

  // HMAC-SHA256 of RFC 2104 by two one-shot hashes: an Hmac object for each id costs several times as much.
  private hmac(text: string): Buffer {
    const bytes = Buffer.byteLength(text);
    const { outer } = this;
    const inner =
      bytes <= LONGEST_IN_PLACE
        ? this.inner.subarray(0, BLOCK_BYTES + bytes)
        : Buffer.concat([this.inner.subarray(0, BLOCK_BYTES)], BLOCK_BYTES + bytes);
    inner.write(text, BLOCK_BYTES);
    hash('sha256', inner, 'buffer').copy(outer, BLOCK_BYTES);
    return hash('sha256', outer, 'buffer');
  }

  // NUL cannot occur in any part (refused at the edge), so no two different lists of parts join to one text.
  private derive(...parts: string[]): Uuid {
    const bytes = this.hmac(parts.join('\u0000'));
    bytes[6] = (bytes[6]! & 0x0f) | 0x80;
    bytes[8] = (bytes[8]! & 0x3f) | 0x80;
    return uuidOfBytes(bytes);
  }
}

const NOTHING_ERASED: ErasedIds = { size: 0, has: () => false };

const padded = (key: Buffer, pad: number, room: number): Buffer =>
  Buffer.concat([key.map((byte) => byte ^ pad)], BLOCK_BYTES + room);
