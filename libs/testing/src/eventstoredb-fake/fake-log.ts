/** What an append carries for each event. */
export interface FakeEvent {
  id: string;
  type: string;
  contentType: string;
  metadata: Uint8Array;
  data: Uint8Array;
}

export interface FakeRecord extends FakeEvent {
  stream: string;
  revision: bigint;
  /** Commit and prepare position, which are equal for everything the gRPC interface writes. */
  position: bigint;
  /** 100 nanoseconds since 1970. */
  createdTicks: bigint;
}

export type FakeExpectation = 'no_stream' | bigint;

export type FakeDecision =
  | { decision: 'written' | 'repeated'; last: FakeRecord }
  | { decision: 'wrong expected version'; current: bigint | undefined }
  | { decision: 'deleted' }
  | { decision: 'too large' };

/** Of 24.10: for all events of an append together. */
export const MAX_APPEND_BYTES = 1024 * 1024;

/**
 * Transaction log and index of the fake, shared by its nodes: bytes are counted as a log file would, so positions grow by
 * more than one and most numbers are no position of anything.
 */
export class FakeLog {
  readonly records: FakeRecord[] = [];
  private readonly streams = new Map<string, FakeRecord[]>();
  private readonly tombstones = new Set<string>();
  private readonly listeners = new Set<() => void>();
  private nextPosition = 0n;
  /** Where replication stopped. */
  private heldFrom: bigint | undefined;

  constructor(private readonly nowMs: () => number = Date.now) {
    this.write('$settings', [systemEvent('$settings')]);
  }

  /** Decides and writes, as section 2.1 of the semantics says. */
  append(stream: string, events: readonly FakeEvent[], expected: FakeExpectation): FakeDecision {
    if (this.tombstones.has(stream)) return { decision: 'deleted' };
    if (events.reduce((sum, { data, metadata }) => sum + data.length + metadata.length, 0) > MAX_APPEND_BYTES)
      return { decision: 'too large' };
    const known = this.streams.get(stream) ?? [];
    const first = expected === 'no_stream' ? 0 : Number(expected) + 1;
    if (known.length === first) return { decision: 'written', last: this.write(stream, events) };
    const place = known.slice(first, first + events.length);
    const last = place.at(-1);
    if (!last || !events.every(({ id }, i) => place[i]?.id === id))
      return { decision: 'wrong expected version', current: known.at(-1)?.revision };
    return { decision: 'repeated', last };
  }

  /** From now on writes reach the leader's log only: nobody reads them, and no append is answered. */
  holdReplication(): void {
    this.heldFrom = this.nextPosition;
  }

  replicate(): void {
    this.heldFrom = undefined;
    for (const listener of this.listeners) listener();
  }

  isReplicated({ position }: FakeRecord): boolean {
    return this.heldFrom === undefined || position < this.heldFrom;
  }

  /** Events of somebody else: of the server itself, or of another program on it. */
  addForeign(stream: string, count = 1): void {
    this.write(
      stream,
      Array.from({ length: count }, () => systemEvent(stream.startsWith('$') ? '$stats' : 'Other')),
    );
  }

  tombstone(stream: string): void {
    this.tombstones.add(stream);
  }

  /** @returns undefined when there is no such stream */
  stream(stream: string): readonly FakeRecord[] | undefined {
    const events = this.streams.get(stream)?.filter((record) => this.isReplicated(record));
    return events && events.length > 0 ? events : undefined;
  }

  isTombstoned(stream: string): boolean {
    return this.tombstones.has(stream);
  }

  /** Index of the first record at or after a position; undefined when nothing begins there and it is not the end. */
  indexAt(position: bigint): number | undefined {
    let [low, high] = [0, this.records.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.records[middle]!.position < position) low = middle + 1;
      else high = middle;
    }
    return this.records[low]?.position === position || position === this.nextPosition ? low : undefined;
  }

  /** Records that readers may see: a log is read as far as it is replicated. */
  visibleLength(): number {
    return this.heldFrom === undefined ? this.records.length : (this.indexAt(this.heldFrom) ?? this.records.length);
  }

  onWritten(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  private write(stream: string, events: readonly FakeEvent[]): FakeRecord {
    const known = this.streams.get(stream) ?? [];
    this.streams.set(stream, known);
    const createdTicks = BigInt(this.nowMs()) * 10_000n;
    for (const event of events) {
      const record = { ...event, stream, revision: BigInt(known.length), position: this.nextPosition, createdTicks };
      known.push(record);
      this.records.push(record);
      this.nextPosition += BigInt(96 + stream.length + event.type.length + event.data.length + event.metadata.length);
    }
    for (const listener of this.listeners) listener();
    return known.at(-1)!;
  }
}

const systemEvent = (type: string): FakeEvent => ({
  id: crypto.randomUUID(),
  type,
  contentType: 'application/json',
  metadata: new Uint8Array(),
  data: Buffer.from('{}'),
});
