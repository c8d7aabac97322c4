import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import { codeOf, HubError, LruMap, parseInstantMs, toInstant, type Clock } from '#libs/kernel';
import {
  ApiKeys,
  MAX_OVERLAP_MS,
  VERIFIED_FOR_MS,
  type ApiKeyRecord,
  type CreatedApiKey,
  type NewApiKey,
  type Rotation,
} from './api-keys.port.js';
import { ROLES, SCOPES, scopesOfRole, type Caller, type Role, type Scope } from './caller.js';
import { isTenant } from './tenant.js';

/** A key as tables hold it. */
export interface ApiKeyRow {
  id: string;
  hash: Buffer | Uint8Array | ArrayBuffer;
  tenant: string;
  role: string;
  label: string | null;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  last_used_at: number | null;
  /** Separated by spaces; null on keys older than scopes, which have those of their role. */
  scopes: string | null;
  replaced_by: string | null;
}

/** A key that begins. */
export interface NewApiKeyRow extends Pick<
  ApiKeyRow,
  'id' | 'tenant' | 'role' | 'label' | 'created_at' | 'expires_at'
> {
  hash: Buffer;
  scopes: string;
}

type Maybe<T> = T | Promise<T>;

/** The table of API keys in some engine; one that answers at once spares a verification the turn of the event loop. */
export interface ApiKeyRows {
  find(id: string): Maybe<ApiKeyRow | undefined>;
  /** Oldest first. */
  list(tenant: string | undefined): Maybe<ApiKeyRow[]>;
  add(row: NewApiKeyRow): Maybe<void>;
  /** Adds `next` and lets the other end by then, or before; false, and nothing, where that was replaced or revoked. */
  replace(id: string, endsMs: number, next: NewApiKeyRow): Maybe<boolean>;
  /** Keeps the first time. */
  revoke(id: string, atMs: number): Maybe<void>;
  noteUse(id: string, atMs: number): Maybe<void>;
  close(): Maybe<void>;
}

interface Verified {
  caller: Caller;
  untilMs: number;
}

const CACHED_KEYS = 10_000;
const REFUSED_FOR_MS = 1000;
const LAST_USED_EVERY_MS = 60_000;
const keyForm = /^hilo_([a-z0-9]{8})_[A-Za-z0-9_-]{43}$/;
const idAlphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
const newId = (): string => Array.from({ length: 8 }, () => idAlphabet[randomInt(idAlphabet.length)]).join('');
const instantOf = (ms: number | null) => (ms === null ? undefined : toInstant(ms));

const scopesOf = ({ role, scopes }: ApiKeyRow): readonly Scope[] =>
  scopes === null ? scopesOfRole(role as Role) : SCOPES.filter((scope) => scopes.split(' ').includes(scope));

const recordOf = (row: ApiKeyRow): ApiKeyRecord => ({
  id: row.id,
  tenant: row.tenant,
  role: row.role as Role,
  scopes: scopesOf(row),
  label: row.label ?? undefined,
  createdAt: toInstant(row.created_at),
  expiresAt: instantOf(row.expires_at),
  revokedAt: instantOf(row.revoked_at),
  lastUsedAt: instantOf(row.last_used_at),
  replacedBy: row.replaced_by ?? undefined,
});

/** API keys over a table, whichever engine holds it; several processes may. */
export class StoredApiKeys extends ApiKeys {
  private readonly verified = new LruMap<string, Verified>(CACHED_KEYS);
  private readonly refused = new LruMap<string, number>(CACHED_KEYS);

  protected constructor(
    private readonly rows: ApiKeyRows,
    private readonly clock: Clock,
  ) {
    super();
  }

  verify(key: string): Maybe<Caller | undefined> {
    const known = this.verified.get(key);
    const nowMs = this.clock.nowMs();
    if (known !== undefined) {
      if (nowMs < known.untilMs) return known.caller;
      this.verified.delete(key);
    }
    const id = keyForm.exec(key)?.[1];
    if (id === undefined) return undefined;
    const refusedUntilMs = this.refused.get(key);
    if (refusedUntilMs !== undefined && nowMs < refusedUntilMs) return undefined;
    return after(
      readable(() => this.rows.find(id)),
      (row) => this.judge(key, id, row, nowMs),
    );
  }

  create(wanted: NewApiKey): Promise<CreatedApiKey> {
    return settled(async () => {
      const { key, row } = await this.rowOf(wanted);
      await this.rows.add(row);
      return { ...recordOf(await this.known(row.id)), key };
    });
  }

  rotate(id: string, { overlapMs, expiresAt }: Rotation): Promise<CreatedApiKey> {
    return settled(async () => {
      if (!(overlapMs >= 0 && overlapMs <= MAX_OVERLAP_MS))
        throw new HubError('ACCESS.INVALID', `an overlap of ${overlapMs} ms is out of bounds; use 0 to 90 days`);
      const nowMs = this.clock.nowMs();
      for (;;) {
        const old = await this.known(id);
        if (old.revoked_at !== null || (old.expires_at !== null && old.expires_at <= nowMs))
          throw new HubError('ACCESS.INVALID', `the API key ${id} no longer works; create a new one`);
        if (old.replaced_by !== null)
          throw new HubError('ACCESS.INVALID', `the API key ${id} was replaced by ${old.replaced_by}; rotate that one`);
        const { tenant, role, scopes, label } = recordOf(old);
        const { key, row } = await this.rowOf({ tenant, role, scopes, label, expiresAt });
        // Otherwise somebody was faster: what has become of it says why it cannot be rotated any more.
        if (!(await this.rows.replace(id, nowMs + overlapMs, row))) continue;
        this.verified.clear();
        return { ...recordOf(await this.known(row.id)), key };
      }
    });
  }

  list(tenant?: string): Promise<ApiKeyRecord[]> {
    return settled(async () => (await this.rows.list(tenant)).map(recordOf));
  }

  revoke(id: string): Promise<ApiKeyRecord> {
    return settled(async () => {
      await this.rows.revoke(id, this.clock.nowMs());
      this.verified.clear();
      return recordOf(await this.known(id));
    });
  }

  close(): Promise<void> {
    return settled(async () => this.rows.close());
  }

  private judge(key: string, id: string, row: ApiKeyRow | undefined, nowMs: number): Maybe<Caller | undefined> {
    const hash = sha256(key);
    // An unknown id is compared too, so that the time taken does not tell which ids exist.
    const genuine = timingSafeEqual(hash, row ? bytesOf(row.hash) : sha256(id)) && row !== undefined;
    if (!genuine || row.revoked_at !== null || (row.expires_at !== null && row.expires_at <= nowMs)) {
      this.refused.set(key, nowMs + REFUSED_FOR_MS);
      return undefined;
    }
    const caller: Caller = Object.freeze({
      tenant: row.tenant,
      roles: [row.role as Role],
      pii: scopesOf(row).includes('pii'),
      keyId: row.id,
    });
    const untilMs = Math.min(nowMs + VERIFIED_FOR_MS, row.expires_at ?? Number.POSITIVE_INFINITY);
    this.verified.set(key, { caller, untilMs });
    return after(this.noteUse(row, nowMs), () => caller);
  }

  private noteUse(row: ApiKeyRow, nowMs: number): Maybe<void> {
    if (row.last_used_at !== null && nowMs - row.last_used_at < LAST_USED_EVERY_MS) return undefined;
    // A use that is not noted must not refuse a good key, say on a full disk.
    try {
      const noted = this.rows.noteUse(row.id, nowMs);
      return noted instanceof Promise ? noted.catch(() => undefined) : noted;
    } catch {
      return undefined;
    }
  }

  /** @throws HubError `API_KEY.NOT_FOUND` */
  private async known(id: string): Promise<ApiKeyRow> {
    const row = await this.rows.find(id);
    if (!row) throw new HubError('API_KEY.NOT_FOUND', `there is no API key with the id ${id}`);
    return row;
  }

  private async rowOf(wanted: NewApiKey): Promise<{ key: string; row: NewApiKeyRow }> {
    const expiresMs = checked(wanted);
    const id = await this.freeId();
    const key = `hilo_${id}_${randomBytes(32).toString('base64url')}`;
    const { tenant, role, scopes = scopesOfRole(role), label = null } = wanted;
    return {
      key,
      row: {
        id,
        hash: sha256(key),
        tenant,
        role,
        scopes: scopes.join(' '),
        label,
        created_at: this.clock.nowMs(),
        expires_at: expiresMs ?? null,
      },
    };
  }

  private async freeId(): Promise<string> {
    for (;;) {
      const id = newId();
      if (!(await this.rows.find(id))) return id;
    }
  }
}

const checked = ({ tenant, role, scopes, label, expiresAt }: NewApiKey): number | undefined => {
  if (!isTenant(tenant))
    throw new HubError('ACCESS.INVALID', `tenant "${tenant}": use 1 to 64 letters, digits, ".", "_" or "-"`);
  if (!ROLES.includes(role)) throw new HubError('ACCESS.INVALID', `role "${role}" is none of ${ROLES.join(', ')}`);
  const odd = scopes?.find((scope) => !SCOPES.includes(scope));
  if (odd !== undefined) throw new HubError('ACCESS.INVALID', `scope "${odd}" is none of ${SCOPES.join(', ')}`);
  if (label !== undefined && label.length > 200)
    throw new HubError('ACCESS.INVALID', `the label has ${label.length} characters, at most 200 are allowed`);
  if (expiresAt === undefined) return undefined;
  const expiresMs = parseInstantMs(expiresAt);
  if (expiresMs === undefined)
    throw new HubError('ACCESS.INVALID', `"${expiresAt}" is no instant such as 2030-01-31T00:00:00Z`);
  return expiresMs;
};

const after = <A, B>(value: Maybe<A>, go: (value: A) => Maybe<B>): Maybe<B> =>
  value instanceof Promise ? value.then(go) : go(value);

const readable = <T>(read: () => Maybe<T>): Maybe<T> => {
  try {
    return read();
  } catch (cause) {
    throw unavailable('the API keys cannot be read', cause);
  }
};

const settled = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw codeOf(error)?.startsWith('SQLITE_') ? unavailable('the API keys cannot be read or written', error) : error;
  }
};

const unavailable = (message: string, cause: unknown): HubError =>
  new HubError('ACCESS.UNAVAILABLE', message, { retryable: true, cause });

const bytesOf = (blob: Buffer | Uint8Array | ArrayBuffer): Uint8Array =>
  blob instanceof Uint8Array ? blob : new Uint8Array(blob);
