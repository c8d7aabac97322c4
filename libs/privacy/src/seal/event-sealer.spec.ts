import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { ERASED, PRIVACY, SCHEMAS, type EventPrivacy, type FieldPrivacy } from '#libs/domain';
import { streamId, type NewEvent, type StoredEvent } from '#libs/event-store';
import { codeOf } from '#libs/kernel';
import type { DataKey } from '../vault/key-vault.port.js';
import { EventSealer } from './event-sealer.js';
import { MAXIMAL, isPersonal } from './maximal-events.contract.js';

const sealer = new EventSealer();
const key: DataKey = { version: 258, secret: randomBytes(32) };
const stream = streamId('interaction', randomUUID());

const newEvent = (type: string, data: object): NewEvent => ({
  id: randomUUID(),
  type,
  schema: SCHEMAS[type] ?? 1,
  tenant: 'acme',
  data,
});
/** What a log gives back of an event. */
const storedOf = ({ json, data, ...rest }: NewEvent): StoredEvent => ({
  ...rest,
  data: JSON.parse(json ?? JSON.stringify(data)) as object,
  position: 7,
  stream,
  revision: 0,
  recordedAtMs: 0,
});
/** The event with what of it is personal sealed. */
const sealWith = (by: EventSealer, event: NewEvent, key: DataKey): NewEvent => {
  const { secret } = by.draft(stream, event);
  return secret ? by.seal({ event, secret }, key) : event;
};
const sealed = (event: NewEvent): StoredEvent => storedOf(sealWith(sealer, event, key));
const opened = (stored: StoredEvent, with_: DataKey = key): object =>
  sealer.open(stored, sealer.subjectOf(stored)!, with_);

describe('what of each event type is personal', () => {
  it('is declared for every type that is stored, and for no other', () => {
    expect(Object.keys(PRIVACY).toSorted()).toEqual(Object.keys(SCHEMAS).toSorted());
    expect(Object.keys(MAXIMAL).toSorted()).toEqual(Object.keys(SCHEMAS).toSorted());
  });

  it.each(Object.entries(MAXIMAL))('%s: every field of the fullest example is declared', (type, data) => {
    const { fields } = PRIVACY[type]!;
    expect(Object.keys(data).toSorted()).toEqual(Object.keys(fields).toSorted());
    for (const [name, privacy] of Object.entries(fields)) {
      if (typeof privacy === 'string') continue;
      const items = (data as Record<string, object[]>)[name]!;
      expect(Object.keys(items[0]!).toSorted()).toEqual(Object.keys(privacy.each).toSorted());
    }
  });

  it.each(Object.entries(MAXIMAL))('%s: nothing personal is stored in clear', (type, data) => {
    const text = JSON.stringify(sealed(newEvent(type, data)).data);
    const values: string[] = [];
    JSON.stringify(data, (_name, value: unknown) => {
      if (isPersonal(value)) values.push(String(value));
      return value;
    });
    // Proposals and the like hold none; the fullest contact and customer record hold many.
    const many = type.startsWith('Interaction') || type === 'ProfileImported';
    expect(values.length).toBeGreaterThan(many ? 6 : -1);
    for (const value of values) expect(text).not.toContain(value);
  });

  it.each(Object.entries(MAXIMAL))('%s: comes back as it was', (type, data) => {
    const event = newEvent(type, data);
    const stored = sealed(event);
    const back = sealer.subjectOf(stored) === undefined ? stored.data : opened(stored);
    expect(back).toEqual(data);
  });

  it.each(Object.entries(MAXIMAL))(
    '%s: without its key it keeps its clear fields and marks what is gone',
    (type, data) => {
      const stored = sealed(newEvent(type, data));
      const subject = sealer.subjectOf(stored);
      const left = [undefined, { ...key, version: 259 }].map((without) =>
        subject === undefined ? stored.data : sealer.open(stored, subject, without),
      );
      const expected = subject === undefined ? data : { ...placeholdersOf(type, data), erased: true };
      expect(left).toEqual([expected, expected]);
      expect(JSON.stringify(left)).not.toMatch(/canary/i);
    },
  );
});

/** What must be left of an example without its key. */
const placeholdersOf = (type: string, data: object): object => {
  const left = (how: FieldPrivacy | undefined, value: unknown): unknown => {
    if (how === 'clear') return value;
    if (how === 'marked') return ERASED;
    if (typeof how !== 'object') return undefined;
    return (value as object[]).map((item) => kept(how.each, item));
  };
  const kept = (fields: Readonly<Record<string, FieldPrivacy>>, item: object): object =>
    Object.fromEntries(
      Object.entries(item)
        .map(([name, value]) => [name, left(fields[name], value)] as const)
        .filter(([, value]) => value !== undefined),
    );
  return kept(PRIVACY[type]!.fields, data);
};

/** What becomes of a sealed event: it opens, it counts as erased, or the code of the refusal. */
const outcomeOf = (stored: StoredEvent, with_: DataKey = key): string => {
  try {
    return 'erased' in opened(stored, with_) ? 'erased' : 'open';
  } catch (error) {
    return codeOf(error) ?? 'no code';
  }
};

describe('a sealed event', () => {
  const privacy: Record<string, EventPrivacy> = {
    Any: { subject: 'stream', fields: { open: 'clear', list: { each: { id: 'clear', value: 'marked' } } } },
  };
  const any = new EventSealer(privacy);

  it('gives back whatever JSON was put into it', () =>
    fc.assert(
      fc.property(
        fc.record(
          {
            open: fc.jsonValue(),
            hidden: fc.jsonValue(),
            text: fc.string({ unit: 'binary' }),
            list: fc.array(fc.record({ id: fc.nat(), value: fc.string() }, { requiredKeys: ['id'] })),
          },
          { requiredKeys: [] },
        ),
        fc.integer({ min: 1, max: 65_535 }),
        (given, version) => {
          const data = JSON.parse(JSON.stringify(given)) as object;
          const event = { ...newEvent('Any', data), data };
          const used = { ...key, version };
          const stored = storedOf(sealWith(any, event, used));
          const subject = any.subjectOf(stored);
          expect(subject === undefined).toBe(any.draft(stream, event).secret === undefined);
          expect(subject === undefined ? stored.data : any.open(stored, subject, used)).toEqual(data);
        },
      ),
    ));

  const data = MAXIMAL.InteractionRecorded!;

  it('is another text every time', () => {
    const event = newEvent('InteractionRecorded', data);
    expect(sealed(event).data).not.toEqual(sealed(event).data);
  });

  it('does not open when any byte of it was changed', () => {
    const stored = sealed(newEvent('InteractionRecorded', data));
    const { sealed: text } = stored.data as { sealed: string };
    const bytes = Buffer.from(text, 'base64');
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(bytes);
        changed[at]! ^= flip;
        const tampered = { ...stored, data: { ...stored.data, sealed: changed.toString('base64') } };
        // Another version is that of another key: without it the content counts as erased.
        expect(outcomeOf(tampered)).toBe(at === 1 || at === 2 ? 'erased' : 'PRIVACY.SEAL_BROKEN');
      }),
    );
  });

  it('does not open when it was cut', () => {
    const stored = sealed(newEvent('InteractionRecorded', data));
    const bytes = Buffer.from((stored.data as { sealed: string }).sealed, 'base64');
    for (const length of [0, 2, 3, 20, 30, 31, bytes.length - 1]) {
      const cut = { ...stored, data: { ...stored.data, sealed: bytes.subarray(0, length).toString('base64') } };
      expect(outcomeOf(cut)).toBe('PRIVACY.SEAL_BROKEN');
    }
  });

  it('opens as the event it was sealed as, and as no other', () => {
    const stored = sealed(newEvent('InteractionRecorded', data));
    const elsewhere: Partial<StoredEvent>[] = [
      { tenant: 'globex' },
      { id: randomUUID() },
      { type: 'InteractionCorrected' },
      { data: { ...stored.data, anchor: randomUUID() } },
    ];
    for (const change of elsewhere) expect(outcomeOf({ ...stored, ...change })).toBe('PRIVACY.SEAL_BROKEN');
    expect(outcomeOf(stored)).toBe('open');
    expect(outcomeOf(stored, { ...key, secret: randomBytes(32) })).toBe('PRIVACY.SEAL_BROKEN');
  });

  it('is refused when it belongs to nobody', () => {
    const { anchor: _anchor, ...homeless } = data as { anchor: string };
    expect(() => sealer.draft(stream, newEvent('InteractionRecorded', homeless))).toThrow(
      expect.objectContaining({ code: 'EVENT_STORE.INVALID_APPEND' }) as Error,
    );
  });

  it('stays as it is where nothing of it is personal, and where an earlier release stored it in clear', () => {
    const link = newEvent('IdentitiesLinked', { link: randomUUID(), a: randomUUID(), b: randomUUID() });
    expect(sealer.draft(streamId('link', randomUUID()), link)).toEqual({ event: link });
    expect(sealer.subjectOf({ type: 'InteractionRecorded', stream, data })).toBeUndefined();
  });
});
