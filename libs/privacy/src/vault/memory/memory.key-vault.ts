import { randomBytes, randomUUID } from 'node:crypto';
import type { Uuid } from '#libs/kernel';
import { KeyVault, type DataKey } from '../key-vault.port.js';

/** For tests, and for a log that was never sealed: keys live as long as this object. */
export class MemoryKeyVault extends KeyVault {
  readonly id = randomUUID();
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
      if (this.keys.has(identity)) continue;
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

  async close(): Promise<void> {
    this.keys.clear();
  }
}
