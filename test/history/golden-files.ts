import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { EventStore, StoredEvent, StreamId } from '#libs/event-store';
import { MemoryEventStore } from '#libs/event-store/memory/memory.event-store.js';
import { FixedClock, instantMs } from '#libs/kernel';
import { EventOpener, SealedEventStore } from '#libs/privacy';
import { MemoryKeyVault } from '#libs/privacy/vault/memory/memory.key-vault.js';
import { email, linkA, linkB, profile } from './today.js';

const GOLDEN = join(__dirname, 'golden');

/** A line of `hilo history`: what a release has written, for ever. */
export interface Golden extends Omit<StoredEvent, 'recordedAtMs'> {
  recordedAt: string;
}

export const bytesOf = (name: string): string => readFileSync(join(GOLDEN, `${name}.json`), 'utf8');
export const goldenOf = (name: string): Golden => JSON.parse(bytesOf(name)) as Golden;
export const names = readdirSync(GOLDEN)
  .map((file) => file.replace(/\.json$/, ''))
  .toSorted();

/** The keys that the sealed files were written with. */
const keysOfGolden = async (): Promise<MemoryKeyVault> => {
  const vault = new MemoryKeyVault((subject) => createHash('sha256').update(`golden key of ${subject}`).digest());
  await vault.obtain([email, profile, linkA, linkB]);
  return vault;
};

/** The data of a file as the store hands it out: opened where it is sealed. */
export const openedGolden = async (name: string): Promise<object> => {
  const { recordedAt: _recordedAt, ...stored } = goldenOf(name);
  const [event] = await new EventOpener(await keysOfGolden()).events([{ ...stored, recordedAtMs: 0 }]);
  return event!.data;
};

/** A log that holds these files in this order, each stream counted from 0. */
export const logOf = async (...wanted: string[]): Promise<{ log: EventStore; events: StoredEvent[] }> => {
  const clock = new FixedClock(0);
  const stored = new MemoryEventStore(clock);
  const heads = new Map<StreamId, number>();
  for (const name of wanted) {
    const { stream, id, type, schema, tenant, data, recordedAt } = goldenOf(name);
    clock.advance(instantMs(recordedAt) - clock.nowMs());
    const head = heads.get(stream);
    const { revision } = await stored.append(stream, [{ id, type, schema, tenant, data }], head ?? 'no_stream');
    heads.set(stream, revision);
  }
  const log = new SealedEventStore(stored, await keysOfGolden());
  const events: StoredEvent[] = [];
  for await (const page of log.readAll({ after: 0 })) events.push(...page);
  return { log, events };
};
