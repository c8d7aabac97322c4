import fc from 'fast-check';
import type { RawEvent, ReadAllOptions, StoredEvent } from '#libs/event-store';
import type { HistoryLog } from './history-log.js';

/** The event as a raw reader hands it over. */
export const rawEvent = ({ data, ...event }: StoredEvent): RawEvent => ({ ...event, json: JSON.stringify(data) });

/** An id that says which number it was made from. */
export const sampleId = (n: number): string => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}`;

/** A recorded contact; position gaps are normal, so pass any. */
export const sampleEvent = (position: number, over: Partial<StoredEvent> = {}): StoredEvent => ({
  position,
  stream: `interaction-${sampleId(position)}`,
  revision: 0,
  id: sampleId(900_000 + position),
  type: 'InteractionRecorded',
  schema: 1,
  tenant: 'acme',
  recordedAtMs: Date.UTC(2025, 0, 1) + position * 60_000,
  data: { channel: 'email', anchor: sampleId(1), text: `number ${position}` },
  ...over,
});

/** Arrays in place of a store: `readAll` as the port promises it, and its raw counterpart on demand. */
export const sampleLog = (events: StoredEvent[], { raw = false } = {}): HistoryLog => {
  async function* readAll({ after, through, batchSize = 500, tenant, types }: ReadAllOptions) {
    const end = through ?? events.at(-1)?.position ?? 0;
    const wanted = events.filter(
      (event) =>
        event.position > after &&
        event.position <= end &&
        (tenant === undefined || event.tenant === tenant) &&
        (types === undefined || types.includes(event.type)),
    );
    for (let i = 0; i < wanted.length; i += batchSize) {
      await Promise.resolve();
      yield wanted.slice(i, i + batchSize);
    }
  }
  async function* readAllRaw(options: ReadAllOptions) {
    for await (const batch of readAll(options)) yield batch.map(rawEvent);
  }
  return { head: () => Promise.resolve(events.at(-1)?.position ?? 0), readAll, ...(raw && { readAllRaw }) };
};

const text = fc.string({ unit: 'binary', maxLength: 20 });
const id = fc.integer({ min: 1, max: 6 }).map(sampleId);

/** Logs of up to 60 events of all sorts, with gaps between positions. */
export const anyEvents: fc.Arbitrary<StoredEvent[]> = fc
  .array(
    fc.record({
      gap: fc.integer({ min: 1, max: 4 }),
      stream: fc.oneof(
        id.map((n) => `interaction-${n}` as const),
        id.map((n) => `identity-${n}` as const),
      ),
      type: fc.constantFrom('InteractionRecorded', 'IdentitiesLinked', 'ProfileImported'),
      tenant: fc.constantFrom('acme', 'globex'),
      minutes: fc.integer({ min: 0, max: 100_000 }),
      data: fc.oneof(
        fc.record({ channel: fc.constantFrom('email', 'phone'), anchor: id, text }),
        fc.record({ identities: fc.array(fc.record({ identity: id, value: text })), note: fc.oneof(text, id) }),
        fc.dictionary(
          text,
          fc.oneof(
            text,
            fc.integer(),
            id.map((n) => `said ,"${n}" and "${n}`),
          ),
        ),
      ),
    }),
    { maxLength: 60 },
  )
  .map((drafts) => {
    let position = 0;
    return drafts.map(({ gap, minutes, ...draft }, i) => {
      position += gap;
      return sampleEvent(position, { ...draft, revision: i, recordedAtMs: Date.UTC(2025, 0, 1) + minutes * 60_000 });
    });
  });
