import * as fc from 'fast-check';
import { recordedBy } from '../event-store.contract.js';
import type { StoredEvent } from '../event-store.port.js';
import { InstantIndex, type Mark, type Marks } from './instant-index.js';

jest.setTimeout(30_000);

class MemoryMarks implements Marks {
  readonly marks: Mark[] = [];
  refuses = false;
  reads = 0;

  async last() {
    this.reads += 1;
    const mark = this.marks.at(-1);
    return mark && { number: this.marks.length - 1, mark };
  }

  async at(number: number): Promise<Mark> {
    this.reads += 1;
    return this.marks[number]!;
  }

  async add(number: number, mark: Mark): Promise<boolean> {
    if (this.refuses) throw new Error('access denied');
    if (number === this.marks.length) this.marks.push(mark);
    const { position, newestMs } = this.marks[number]!;
    if (position !== mark.position || newestMs !== mark.newestMs) throw new Error(`another mark ${number}`);
    return true;
  }
}

const logOf = (instants: readonly number[]): StoredEvent[] =>
  instants.map((recordedAtMs, i) => ({ position: 7 * (i + 1), recordedAtMs }) as StoredEvent);

describe('InstantIndex', () => {
  it('answers as the port counts, in every process, while the log grows and whatever the clock did', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.array(fc.nat(30), { maxLength: 8 }), fc.nat(2), fc.nat(31), fc.boolean()), {
          maxLength: 8,
        }),
        fc.integer({ min: 1, max: 5 }),
        async (growth, eventsAMark) => {
          const instants: number[] = [];
          const log = (): StoredEvent[] => logOf(instants);
          const marks = new MemoryMarks();
          const readAfter = async function* (after: number) {
            const events = log().filter(({ position }) => position > after);
            yield events.slice(0, 3);
            yield events.slice(3);
          };
          const processes = Array.from({ length: 3 }, () => new InstantIndex(readAfter, marks, eventsAMark));
          const followedTo = [0, 0, 0];
          for (const [added, process, instant, refuses] of growth) {
            instants.push(...added);
            marks.refuses = refuses;
            if (instant === 31) await processes[process]!.extend();
            if (instant === 30) {
              const from = followedTo[process]!;
              followedTo[process] = log().at(-1)?.position ?? 0;
              processes[process]!.followed(from, log().slice(from / 7));
            }
            expect(await processes[process]!.recordedBy(instant)).toBe(recordedBy(log(), instant));
          }
          marks.refuses = false;
          for (const index of processes)
            for (let instant = -1; instant <= 31; instant += 4)
              expect(await index.recordedBy(instant)).toBe(recordedBy(log(), instant));
          await processes[0]!.extend();
          expect(marks.marks).toHaveLength(Math.floor(instants.length / eventsAMark));
          for (const position of [1, 7, 30, 100]) {
            const known = await processes[1]!.knownUpTo(position);
            expect(known).toBe(marks.marks.findLast((mark) => mark.position <= position)?.position ?? 0);
          }
        },
      ),
    );
  });

  it('marks what somebody follows without reading it, and leaves it to them', async () => {
    let read = 0;
    const log = logOf(Array.from({ length: 95 }, (_, i) => i));
    const marks = new MemoryMarks();
    const open = () =>
      new InstantIndex(
        async function* (after) {
          const events = log.slice(after / 7);
          read += events.length;
          yield events;
        },
        marks,
        10,
      );
    const [follower, writer] = [open(), open()];
    for (let from = 0; from < 90; from += 30) {
      follower.followed(7 * from, log.slice(from, from + 30));
      await follower.knownUpTo(0);
      await writer.extend(undefined, true);
    }
    expect(marks.marks).toEqual(
      [9, 19, 29, 39, 49, 59, 69, 79, 89].map((i) => ({ position: 7 * (i + 1), newestMs: i })),
    );
    expect(read).toBe(0);
    await writer.extend(undefined, true);
    expect(read).toBe(5);
  });

  it('does not read what a follower that has only begun will mark', async () => {
    let read = 0;
    const log = logOf(Array.from({ length: 25 }, (_, i) => i));
    const marks = new MemoryMarks();
    const writer = new InstantIndex(
      async function* (after) {
        read += log.length - after / 7;
        yield log.slice(after / 7);
      },
      marks,
      10,
    );
    await writer.extend(undefined, true);
    expect(read).toBe(0);
    await writer.extend(undefined, true);
    expect(marks.marks).toEqual([9, 19].map((i) => ({ position: 7 * (i + 1), newestMs: i })));
  });

  it('reads as much as lies between two marks, and of marks the logarithm of their number', async () => {
    let read = 0;
    const log = logOf(Array.from({ length: 2000 }, (_, i) => i));
    const marks = new MemoryMarks();
    const open = () =>
      new InstantIndex(
        async function* (after) {
          for (const event of log.slice(after / 7)) {
            read += 1;
            yield [event];
          }
        },
        marks,
        10,
      );
    await open().extend();
    expect(read).toBe(2000);
    for (const instant of [0, 5, 432, 1994, 20_000]) {
      [read, marks.reads] = [0, 0];
      expect(await open().recordedBy(instant)).toBe(recordedBy(log, instant));
      expect(read).toBeLessThanOrEqual(11);
      expect(marks.reads).toBeLessThanOrEqual(11);
    }
  });
});
