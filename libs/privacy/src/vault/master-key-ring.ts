import type { Kysely } from 'kysely';
import { HubError, uuidOfBytes, type Clock, type Uuid } from '#libs/kernel';
import type { MasterKey } from '../master-key/master-key.js';
import { LOST } from './key-vault.errors.js';
import { batches, bufferOf } from './key-vault.rows.js';
import type { KeyVaultSchema, MasterKeyTable } from './key-vault.schema.js';

/** The master keys that a vault's keys are wrapped by: the one in use, and during a rotation the next. */
export class MasterKeyRing {
  private readonly wrappers = new Map<number, MasterKey>();
  private activeKey = 0;

  /** @param masters the master keys at hand */
  constructor(
    private readonly db: Kysely<KeyVaultSchema>,
    private readonly masters: readonly MasterKey[],
    private readonly clock: Clock,
  ) {}

  get active(): MasterKey {
    return this.wrappers.get(this.activeKey)!;
  }

  /** What a row of `data_key` says of a key wrapped now. */
  wrap(identity: Uuid, version: number, secret: Buffer): { master: number; wrapped: Buffer } {
    return { master: this.activeKey, wrapped: this.active.wrap(identity, version, secret) };
  }

  of(key: number): MasterKey | undefined {
    return this.wrappers.get(key);
  }

  /** A new vault takes the first of the master keys. */
  async begin(): Promise<void> {
    if (await this.db.selectFrom('master_key').select('key').executeTakeFirst()) return;
    await this.add(1, this.masters[0]!, 'active');
  }

  /** @throws HubError `KEY_VAULT.MASTER_KEY_MISMATCH`, `KEY_VAULT.ROTATION_UNFINISHED` */
  async read(): Promise<void> {
    const rows = await this.db.selectFrom('master_key').selectAll().where('state', '!=', 'retired').execute();
    for (const { key, fingerprint, state } of rows) {
      const master = this.masters.find((one) => one.fingerprint === fingerprint);
      if (!master) throw state === 'next' ? unfinished() : mismatch();
      this.wrappers.set(key, master);
      if (state === 'active') this.activeKey = key;
    }
  }

  /** A reader meets a key that was wrapped anew after it was opened. */
  async learn(key: number): Promise<MasterKey> {
    await this.read();
    const master = this.wrappers.get(key);
    if (!master) throw mismatch();
    return master;
  }

  /**
   * Begins a rotation, or goes on with one.
   * @returns the number of the next master key; undefined when it is in use already
   * @throws HubError `KEY_VAULT.ROTATION_UNFINISHED` when a rotation to another key has begun
   */
  async startRotation(next: MasterKey): Promise<number | undefined> {
    const rows = await this.db.selectFrom('master_key').selectAll().orderBy('key').execute();
    if (rows.some(({ state, fingerprint }) => state === 'active' && fingerprint === next.fingerprint)) return undefined;
    const begun = rows.find(({ state }) => state === 'next');
    if (begun && begun.fingerprint !== next.fingerprint) throw unfinished();
    const key = begun?.key ?? (rows.at(-1)?.key ?? 0) + 1;
    if (!begun) await this.add(key, next, 'next');
    this.wrappers.set(key, next);
    return key;
  }

  /**
   * Wraps some keys anew.
   * @param limit most of them
   * @returns how many there were
   */
  async rewrap(master: number, limit: number): Promise<number> {
    const rows = await this.db.selectFrom('data_key').selectAll().where('master', '!=', master).limit(limit).execute();
    const next = this.wrappers.get(master)!;
    for (const chunk of batches(rows)) {
      const values = chunk.map((row) => {
        if (row.wrapped === null) return { ...row, master };
        const identity = uuidOfBytes(row.identity);
        const secret = this.wrappers.get(row.master)!.unwrap(identity, row.version, bufferOf(row.wrapped));
        return { ...row, master, wrapped: next.wrap(identity, row.version, secret) };
      });
      await this.db
        .insertInto('data_key')
        .values(values.map((row) => ({ ...row, identity: bufferOf(row.identity) })))
        .onConflict((conflict) =>
          conflict.column('identity').doUpdateSet((set) => ({ master, wrapped: set.ref('excluded.wrapped') })),
        )
        .execute();
    }
    return rows.length;
  }

  async activate(key: number): Promise<void> {
    // One statement: at any time there is one master key in use.
    await this.db
      .updateTable('master_key')
      .set(({ eb }) => ({
        state: eb
          .case()
          .when('state', '=', 'next')
          .then('active' as const)
          .else('retired' as const)
          .end(),
      }))
      .where('state', 'in', ['active', 'next'])
      .execute();
    this.activeKey = key;
  }

  private async add(key: number, { fingerprint }: MasterKey, state: MasterKeyTable['state']): Promise<void> {
    await this.db.insertInto('master_key').values({ key, fingerprint, state, createdAt: this.clock.nowMs() }).execute();
  }
}

const mismatch = (): HubError =>
  new HubError(
    'KEY_VAULT.MASTER_KEY_MISMATCH',
    `the master key is not the one that this installation's keys are wrapped by. ${LOST} ` +
      'Set HILO_MASTER_KEY to the original, or restore master.key from the backup of this data directory.',
  );

const unfinished = (): HubError =>
  new HubError(
    'KEY_VAULT.ROTATION_UNFINISHED',
    'a rotation of the master key has begun and not ended: some keys are wrapped by the old one, some by the new one. ' +
      'Run hilo keys rotate again with the same two keys.',
  );
