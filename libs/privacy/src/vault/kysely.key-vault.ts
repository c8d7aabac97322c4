import { randomBytes, randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import { bytesOfUuid, codeOf, LruMap, UuidSet, uuidOfBytes, type Clock, type Uuid } from '#libs/kernel';
import { KEY_BYTES, type MasterKey } from '../master-key/master-key.js';
import { vaultFailure } from './key-vault.errors.js';
import { KeyVault, type BegunErasure, type DataKey, type ErasedId } from './key-vault.port.js';
import { batches, bufferOf } from './key-vault.rows.js';
import type { KeyVaultSchema } from './key-vault.schema.js';
import { MasterKeyRing } from './master-key-ring.js';

export interface KyselyKeyVaultOptions {
  /** The master keys at hand: the one in use, during a rotation also the next. */
  masters: readonly MasterKey[];
  clock: Clock;
  /** Somebody else makes and destroys keys: another thread or process. @default false */
  readonly?: boolean;
  /**
   * Others make and destroy keys as well: milliseconds within which a key they destroyed is forgotten here; whoever asks
   * with `obtain` or `find` gets none from then on at once. @default nobody else does
   */
  sharedForgetMs?: number;
  /** Most keys held unwrapped, 2 or more; some 220 bytes each. What is not held is asked for with every batch. @default 50000 */
  cachedKeys?: number;
  /** Called when a key was destroyed, to have the engine forget what it keeps of old rows. */
  scrub?: () => void | Promise<void>;
  close?: () => void | Promise<void>;
}

export interface RotateOptions {
  /** Hears how many keys are wrapped anew, and how many there are. */
  report?: (done: number, all: number) => void;
  /** Stops between two batches; a later call goes on. */
  signal?: AbortSignal;
}

const ROTATE_BATCH = 1000;
const READ_BATCH = 10_000;

/** The vault in a database that Kysely speaks to; every statement stands for itself, so no engine needs a transaction. */
export class KyselyKeyVault extends KeyVault {
  readonly erased = new UuidSet();
  private readonly cache: LruMap<Uuid, DataKey>;
  private readonly masters: MasterKeyRing;
  private destructions = 0;
  /** One change at a time. */
  private tail: Promise<unknown> = Promise.resolve();
  private vaultId = '';
  private lacksErased = false;
  private forgetting?: NodeJS.Timeout;
  private looking: Promise<void> | undefined;

  private constructor(
    private readonly db: Kysely<KeyVaultSchema>,
    private readonly options: KyselyKeyVaultOptions,
  ) {
    super();
    this.cache = new LruMap(options.cachedKeys ?? 50_000);
    this.masters = new MasterKeyRing(db, options.masters, options.clock);
  }

  get id(): string {
    return this.vaultId;
  }

  /**
   * Opens a vault whose tables are there; a new one takes the first of the master keys.
   * @throws HubError `KEY_VAULT.MASTER_KEY_MISMATCH`, `KEY_VAULT.ROTATION_UNFINISHED`
   */
  static async open(db: Kysely<KeyVaultSchema>, options: KyselyKeyVaultOptions): Promise<KyselyKeyVault> {
    const vault = new KyselyKeyVault(db, options);
    if (!options.readonly) await vault.begin();
    await vault.masters.read();
    const row = await db.selectFrom('vault').selectAll().executeTakeFirstOrThrow();
    vault.vaultId = row.id;
    vault.destructions = row.destructions;
    // A vault of an earlier release, opened to read, may lack the table.
    vault.lacksErased =
      options.readonly === true && !(await db.introspection.getTables()).some(({ name }) => name === 'erased');
    await vault.readErased();
    if (options.sharedForgetMs !== undefined)
      vault.forgetting = setInterval(
        () => void vault.forgetDestroyed().catch(() => vault.cache.clear()),
        options.sharedForgetMs,
      ).unref();
    return vault;
  }

  /** Fingerprint of the master key in use. */
  get master(): string {
    return this.masters.active.fingerprint;
  }

  cached(identity: Uuid): DataKey | undefined {
    return this.cache.get(identity);
  }

  async obtain(identities: Iterable<Uuid>): Promise<ReadonlyMap<Uuid, DataKey>> {
    if (this.options.sharedForgetMs !== undefined) await this.forgetDestroyed();
    const { found, missing } = this.look(identities);
    if (missing.length === 0) return found;
    return this.alone(async () => {
      await this.load(missing, found);
      const lacking = missing.filter((identity) => !found.has(identity) && !this.erased.has(identity));
      await this.make(lacking, found);
      if (this.options.sharedForgetMs !== undefined) await this.takeBack(lacking, found);
      return found;
    });
  }

  async find(identities: Iterable<Uuid>): Promise<ReadonlyMap<Uuid, DataKey>> {
    if (this.options.readonly || this.options.sharedForgetMs !== undefined) await this.forgetDestroyed();
    const { found, missing } = this.look(identities);
    if (missing.length > 0) await this.load(missing, found);
    return found;
  }

  destroy(identity: Uuid): Promise<boolean> {
    return this.alone(async () => {
      const destroyed = await this.destroyAll([identity]);
      if (destroyed) await this.tellOfDestruction();
      return destroyed;
    });
  }

  async beginErasure({ erasure, tenant }: BegunErasure): Promise<void> {
    const begun = { id: bytesOfUuid(erasure), tenant, begunAt: this.options.clock.nowMs(), endedAt: null };
    await this.alone(() =>
      this.db
        .insertInto('erasure')
        .values(begun)
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute(),
    );
  }

  async erase(erasure: Uuid, ids: Iterable<Uuid>): Promise<void> {
    const all = [...new Set(ids)];
    await this.alone(async () => {
      // First nobody gets a key any more, then those that are there go.
      for (const some of batches(all)) {
        await this.db
          .insertInto('erased')
          .values(some.map((id) => ({ id: bytesOfUuid(id), erasure: bytesOfUuid(erasure) })))
          .onConflict((conflict) => conflict.column('id').doNothing())
          .execute();
        for (const id of some) this.erased.add(id);
      }
      await this.destroyAll(all);
      // Told every time: a crash may have come between the two the last time.
      await this.tellOfDestruction();
    });
  }

  async erasedBy(erasure: Uuid): Promise<ErasedId[]> {
    const rows = await this.db
      .selectFrom('erased')
      .leftJoin('data_key', 'data_key.identity', 'erased.id')
      .select(['erased.id', 'data_key.destroyedAt'])
      .where('erased.erasure', '=', bytesOfUuid(erasure))
      .orderBy('erased.id')
      .execute();
    return rows.map(({ id, destroyedAt }) => ({ id: uuidOfBytes(id), keyDestroyed: destroyedAt !== null }));
  }

  async endErasure(erasure: Uuid): Promise<void> {
    await this.alone(() =>
      this.db
        .updateTable('erasure')
        .set({ endedAt: this.options.clock.nowMs() })
        .where('id', '=', bytesOfUuid(erasure))
        .execute(),
    );
  }

  async openErasures(): Promise<BegunErasure[]> {
    const rows = await this.db
      .selectFrom('erasure')
      .select(['id', 'tenant'])
      .where('endedAt', 'is', null)
      .orderBy('begunAt')
      .orderBy('id')
      .execute();
    return rows.map(({ id, tenant }) => ({ erasure: uuidOfBytes(id), tenant }));
  }

  /**
   * Wraps every data key by another master key. Interrupted at any point, the same call goes on; until it has ended,
   * both master keys are needed.
   * @returns whether it came to its end
   * @throws HubError `KEY_VAULT.ROTATION_UNFINISHED` when a rotation to another key has begun
   */
  async rotate(next: MasterKey, { report, signal }: RotateOptions = {}): Promise<boolean> {
    const key = await this.masters.startRotation(next);
    if (key === undefined) return true;
    const { all } = await this.db
      .selectFrom('data_key')
      .select(({ fn }) => fn.countAll<number>().as('all'))
      .executeTakeFirstOrThrow();
    for (let done = 0; !signal?.aborted;) {
      const last = await this.alone(async () => {
        const moved = await this.masters.rewrap(key, ROTATE_BATCH);
        report?.((done += moved), all);
        if (moved === ROTATE_BATCH) return false;
        await this.masters.activate(key);
        await this.options.scrub?.();
        return true;
      });
      if (last) return true;
    }
    return false;
  }

  async close(): Promise<void> {
    clearInterval(this.forgetting);
    await this.tail.catch(() => undefined);
    this.cache.clear();
    await this.options.close?.();
    await this.db.destroy();
  }

  /** Which are in memory, and which are not; each once. */
  private look(identities: Iterable<Uuid>): { found: Map<Uuid, DataKey>; missing: Uuid[] } {
    const found = new Map<Uuid, DataKey>();
    const missing = new Set<Uuid>();
    for (const identity of identities) {
      if (found.has(identity)) continue;
      const key = this.cache.get(identity);
      if (key) found.set(identity, key);
      else missing.add(identity);
    }
    return { found, missing: [...missing] };
  }

  private async load(identities: readonly Uuid[], into: Map<Uuid, DataKey>): Promise<void> {
    for (const ids of batches(identities)) {
      const rows = await this.db
        .selectFrom('data_key')
        .select(['identity', 'version', 'master', 'wrapped'])
        .where('identity', 'in', ids.map(bytesOfUuid))
        .where('wrapped', 'is not', null)
        .execute();
      for (const { identity: bytes, version, master, wrapped } of rows) {
        const identity = uuidOfBytes(bytes);
        if (this.erased.has(identity)) continue; // while its row was being read
        const wrapper = this.masters.of(master) ?? (await this.masters.learn(master));
        this.keep(identity, { version, secret: wrapper.unwrap(identity, version, bufferOf(wrapped!)) }, into);
      }
    }
  }

  /** A key for each of these that have none: a new one, or after a destroyed one the next. */
  private async make(identities: readonly Uuid[], into: Map<Uuid, DataKey>): Promise<void> {
    // In one order, so that programs that make keys of the same identities wait for each other and not in a ring.
    for (const ids of batches(identities.toSorted())) {
      const random = randomBytes(KEY_BYTES * ids.length);
      const made = ids.map((identity, i) => ({
        identity,
        version: 1,
        secret: random.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES),
      }));
      const { numInsertedOrUpdatedRows: added } = await this.db
        .insertInto('data_key')
        .values(made.map(({ identity, ...key }) => this.rowOf(identity, key)))
        .onConflict((conflict) => conflict.column('identity').doNothing())
        .executeTakeFirstOrThrow();
      if (added === BigInt(ids.length)) for (const { identity, ...key } of made) this.keep(identity, key, into);
      // Somebody else was first, or there was a key that is destroyed.
      else await this.succeed(ids, into);
    }
  }

  private async succeed(identities: readonly Uuid[], into: Map<Uuid, DataKey>): Promise<void> {
    const destroyed = await this.db
      .selectFrom('data_key')
      .select(['identity', 'version'])
      .where('identity', 'in', identities.map(bytesOfUuid))
      .where('wrapped', 'is', null)
      .execute();
    for (const { identity: bytes, version } of destroyed) {
      const key = { version: version + 1, secret: randomBytes(KEY_BYTES) };
      await this.db
        .updateTable('data_key')
        .set(this.rowOf(uuidOfBytes(bytes), key))
        .where('identity', '=', bufferOf(bytes))
        .where('version', '=', version)
        .where('wrapped', 'is', null)
        .execute();
    }
    await this.load(identities, into);
  }

  /** Another program may have erased these while they got their keys: it has destroyed those it saw, the others go here. */
  private async takeBack(identities: readonly Uuid[], from: Map<Uuid, DataKey>): Promise<void> {
    for (const ids of batches(identities)) {
      const rows = await this.db.selectFrom('erased').select('id').where('id', 'in', ids.map(bytesOfUuid)).execute();
      const erased = rows.map(({ id }) => uuidOfBytes(id));
      for (const id of erased) {
        this.erased.add(id);
        from.delete(id);
      }
      if (await this.destroyAll(erased)) await this.tellOfDestruction();
    }
  }

  private rowOf(identity: Uuid, { version, secret }: DataKey) {
    return {
      identity: bytesOfUuid(identity),
      version,
      ...this.masters.wrap(identity, version, secret),
      createdAt: this.options.clock.nowMs(),
      destroyedAt: null,
    };
  }

  private keep(identity: Uuid, { version, secret }: DataKey, into: Map<Uuid, DataKey>): void {
    // Copied into a shared slab: an array buffer for each of thousands of keys is what garbage collection would pay for.
    const key = { version, secret: Buffer.from(secret) };
    this.cache.set(identity, key);
    into.set(identity, key);
  }

  /** @returns whether there was one */
  private async destroyAll(identities: readonly Uuid[]): Promise<boolean> {
    for (const identity of identities) this.cache.delete(identity);
    let destroyed = false;
    for (const some of batches(identities)) {
      const { numUpdatedRows } = await this.db
        .updateTable('data_key')
        .set({ wrapped: null, destroyedAt: this.options.clock.nowMs() })
        .where('identity', 'in', some.map(bytesOfUuid))
        .where('wrapped', 'is not', null)
        .executeTakeFirst();
      destroyed ||= numUpdatedRows > 0n;
    }
    return destroyed;
  }

  private async tellOfDestruction(): Promise<void> {
    await this.db
      .updateTable('vault')
      .set(({ eb }) => ({ destructions: eb('destructions', '+', 1) }))
      .execute();
    await this.options.scrub?.();
  }

  private async readErased(): Promise<void> {
    if (this.lacksErased) return;
    let after: Buffer = Buffer.alloc(0);
    for (;;) {
      const rows = await this.db
        .selectFrom('erased')
        .select('id')
        .where('id', '>', after)
        .orderBy('id')
        .limit(READ_BATCH)
        .execute();
      for (const { id } of rows) this.erased.add(uuidOfBytes(id));
      if (rows.length < READ_BATCH) return;
      after = bufferOf(rows.at(-1)!.id);
    }
  }

  /**
   * Who is not the only one that destroys keys does not hear of it: it looks before it trusts its memory. Those who ask in
   * one turn share a look, which is later than all of them.
   */
  private forgetDestroyed(): Promise<void> {
    return (this.looking ??= this.lookForDestroyed());
  }

  private async lookForDestroyed(): Promise<void> {
    await Promise.resolve();
    this.looking = undefined;
    const { destructions } = await this.db.selectFrom('vault').select('destructions').executeTakeFirstOrThrow();
    if (destructions === this.destructions) return;
    this.cache.clear();
    await this.readErased();
    this.destructions = destructions;
  }

  /** Fills the tables of a new vault. */
  private async begin(): Promise<void> {
    if (!(await this.db.selectFrom('vault').select('id').executeTakeFirst()))
      await this.db.insertInto('vault').values({ id: randomUUID(), destructions: 0 }).execute();
    await this.masters.begin();
  }

  private alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.tail.then(work).catch((error: unknown) => {
      // What carries a code of ours says enough.
      throw codeOf(error)?.includes('.') === true ? error : vaultFailure(error);
    });
    this.tail = result.catch(() => undefined);
    return result;
  }
}
