import { hash } from 'node:crypto';
import type { Uuid } from '#libs/kernel';
import { seal, unseal } from '../seal/cipher.js';

export const KEY_BYTES = 32;

/** The key that wraps all data keys. */
export class MasterKey {
  /** Tells it from other keys, and nothing about it. */
  readonly fingerprint: string;

  /** @param secret 32 bytes */
  constructor(readonly secret: Buffer) {
    this.fingerprint = hash('sha256', Buffer.concat([Buffer.from('hilo master key\0'), secret]), 'hex').slice(0, 32);
  }

  /** @param version of the data key; bound to it, like its identity */
  wrap(identity: Uuid, version: number, secret: Buffer): Buffer {
    return seal(this.secret, bound(identity, version), secret, NOTHING);
  }

  /** @throws HubError `PRIVACY.SEAL_BROKEN` when it was wrapped by another key, or for another identity or version */
  unwrap(identity: Uuid, version: number, wrapped: Buffer): Buffer {
    return unseal(this.secret, bound(identity, version), wrapped, 0);
  }
}

const NOTHING = Buffer.alloc(0);
const bound = (identity: Uuid, version: number): string => `hilo data key\0${identity}\0${version}`;
