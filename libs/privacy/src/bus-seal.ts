import { toInstant, type Clock, type Uuid } from '#libs/kernel';
import { PeriodSeal, namedKeyId } from './seal/period-seal.js';
import type { KeyVault } from './vault/key-vault.port.js';

const DAY_MS = 24 * 60 * 60 * 1000;
/** How far back keys are looked for that nobody has ended, because no hub ran at the time. */
const LOOK_BACK_DAYS = 400;

/** The id under which the vault keeps the key of what was put on the bus on the day of an instant (UTC). */
export const busKeyId = (ms: number): Uuid => namedKeyId(`hilo bus messages ${toInstant(ms).slice(0, 10)}`);

/** Seals what travels on a bus that keeps it: a key a day, ended once the bus has forgotten that day. */
export class BusSeal extends PeriodSeal {
  constructor(
    private readonly keys: KeyVault,
    private readonly time: Clock,
  ) {
    super(keys, time, busKeyId);
  }

  /**
   * Destroys the keys of the days whose messages the bus keeps no more.
   * @param retentionMs how long it keeps a message; a day is added, for brokers delete by the file
   * @returns how many keys were destroyed
   */
  async endBefore(retentionMs: number): Promise<number> {
    const newestMs = this.time.nowMs() - retentionMs - 2 * DAY_MS;
    const days = Array.from({ length: LOOK_BACK_DAYS }, (_, day) => busKeyId(newestMs - day * DAY_MS));
    const ended = [...(await this.keys.find(days)).keys()];
    for (const day of ended) await this.keys.destroy(day);
    return ended.length;
  }
}
