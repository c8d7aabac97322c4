import { randomBytes, randomUUID } from 'node:crypto';
import { UuidSet, type Uuid } from '#libs/kernel';
import { KeyVault, type BegunErasure, type DataKey, type ErasedId } from '../key-vault.port.js';

/** For tests, and for a log that was never sealed: keys live as long as this object. */
export class MemoryKeyVault extends KeyVault {
  readonly id = randomUUID();
  readonly erased = new UuidSet();
  private readonly erasures = new Map<Uuid, BegunErasure & { ids: Map<Uuid, ErasedId>; ended: boolean }>();
  private readonly keys = new Map<Uuid, DataKey>();
  private readonly versions = new Map<Uuid, number>();

  /** @param makeSecret 32 bytes for the key of an identity; random where absent */
  constructor(private readonly makeSecret: (identity: Uuid) => Buffer = () => randomBytes(32)) {
    super();
  }

  cached(identity: Uuid): DataKey | undefined {
    return this.keys.get(identity);
  }

  async obtain(identities: Iterable<Uuid>): Promise<ReadonlyMap<Uuid, DataKey>> {
    const wanted = [...identities];
    for (const identity of wanted) {
      if (this.keys.has(identity) || this.erased.has(identity)) continue;
      const version = (this.versions.get(identity) ?? 0) + 1;
      this.versions.set(identity, version);
      this.keys.set(identity, { version, secret: this.makeSecret(identity) });
    }
    return this.find(wanted);
  }

  async find(identities: Iterable<Uuid>): Promise<ReadonlyMap<Uuid, DataKey>> {
    const found = new Map<Uuid, DataKey>();
    for (const identity of identities) {
      const key = this.keys.get(identity);
      if (key) found.set(identity, key);
    }
    return found;
  }

  async destroy(identity: Uuid): Promise<boolean> {
    return this.keys.delete(identity);
  }

  async beginErasure(begun: BegunErasure): Promise<void> {
    if (this.erasures.has(begun.erasure)) return;
    this.erasures.set(begun.erasure, { ...begun, ids: new Map(), ended: false });
  }

  async erase(erasure: Uuid, ids: Iterable<Uuid>): Promise<void> {
    const { ids: ended } = this.erasures.get(erasure)!;
    for (const id of ids) if (this.erased.add(id)) ended.set(id, { id, keyDestroyed: this.keys.delete(id) });
  }

  async erasedBy(erasure: Uuid): Promise<ErasedId[]> {
    return [...(this.erasures.get(erasure)?.ids.values() ?? [])].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  async endErasure(erasure: Uuid): Promise<void> {
    const known = this.erasures.get(erasure);
    if (known) known.ended = true;
  }

  async openErasures(): Promise<BegunErasure[]> {
    return [...this.erasures.values()].flatMap(({ erasure, tenant, ended }) => (ended ? [] : [{ erasure, tenant }]));
  }

  async close(): Promise<void> {
    this.keys.clear();
  }
}
