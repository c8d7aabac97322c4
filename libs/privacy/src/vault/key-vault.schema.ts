/** Tables of the vault. Identities are 16 bytes, instants epoch milliseconds. */
export interface KeyVaultSchema {
  data_key: DataKeyTable;
  master_key: MasterKeyTable;
  vault: VaultTable;
  erased: ErasedTable;
  erasure: ErasureTable;
}

export interface DataKeyTable {
  identity: Buffer;
  version: number;
  /** Key of the master key it is wrapped by. */
  master: number;
  /** Null once destroyed: the row stays, so that the next key takes the next version. */
  wrapped: Buffer | null;
  createdAt: number;
  destroyedAt: number | null;
}

/** `next` while a rotation is under way, `retired` once no data key is wrapped by it any more. */
export interface MasterKeyTable {
  key: number;
  fingerprint: string;
  state: 'active' | 'next' | 'retired';
  createdAt: number;
}

/** One row. */
export interface VaultTable {
  id: string;
  /** Grows with every destroyed key: who has keys in memory and is not the one that destroys looks at it. */
  destructions: number;
}

/** Ids that get no key ever again. */
export interface ErasedTable {
  id: Buffer;
  erasure: Buffer;
}

export interface ErasureTable {
  id: Buffer;
  tenant: string;
  begunAt: number;
  /** Null while it is under way. */
  endedAt: number | null;
}
