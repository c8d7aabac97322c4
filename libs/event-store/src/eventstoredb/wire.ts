/** Wire types of Protocol Buffers that our messages have. */
const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const FIXED_32 = 5;

/** Of a number in the wire format. */
const MOST_BYTES_A_NUMBER = 10;
const INITIAL_BYTES = 16 * 1024;

/**
 * Writes one message of Protocol Buffers after the other, each from its last field to its first: what encloses something
 * begins with its length, which is known by then. Of equal fields the last is written first too.
 */
export class WireWriter {
  private buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  private at = INITIAL_BYTES;

  /** A message of its own, with the fields that `write` gives it. */
  message(write: () => void): Buffer {
    this.at = this.buffer.length;
    write();
    return Buffer.from(this.buffer.subarray(this.at));
  }

  /** Where what is written next ends, for `close`; counted from the end of the message. */
  get end(): number {
    return this.buffer.length - this.at;
  }

  /** Makes everything since `end` a message in this field. */
  close(field: number, end: number): void {
    this.varint(this.end - end);
    this.varint((field << 3) | BYTES);
  }

  text(field: number, value: string): void {
    const length = Buffer.byteLength(value);
    this.reserve(length);
    this.at -= length;
    this.buffer.write(value, this.at);
    this.varint(length);
    this.varint((field << 3) | BYTES);
  }

  bytes(field: number, value: Uint8Array): void {
    this.reserve(value.length);
    this.at -= value.length;
    this.buffer.set(value, this.at);
    this.varint(value.length);
    this.varint((field << 3) | BYTES);
  }

  /** A whole number from 0 that is exact. */
  number(field: number, value: number): void {
    this.varint(value);
    this.varint((field << 3) | VARINT);
  }

  private varint(value: number): void {
    this.reserve(MOST_BYTES_A_NUMBER);
    let bytes = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
    this.at -= bytes;
    let place = this.at;
    for (let rest = value; ; rest = Math.floor(rest / 0x80)) {
      this.buffer[place++] = rest < 0x80 ? rest : (rest % 0x80) | 0x80;
      if (rest < 0x80) return;
    }
  }

  private reserve(length: number): void {
    if (this.at >= length) return;
    const larger = Buffer.allocUnsafe((this.buffer.length + length) * 2);
    const { end } = this;
    this.buffer.copy(larger, larger.length - end, this.at);
    this.buffer = larger;
    this.at = larger.length - end;
  }
}

/** Reads the fields of one message of Protocol Buffers in their order: each is read, or skipped, before the next. */
export class WireReader {
  /** Number of the field that comes. */
  field = 0;
  private type = VARINT;

  constructor(
    private readonly buffer: Buffer,
    private at = 0,
    private readonly end = buffer.length,
  ) {}

  /** @returns false at the end of the message */
  next(): boolean {
    if (this.at >= this.end) return false;
    const tag = this.number();
    this.field = tag >>> 3;
    this.type = tag & 7;
    return true;
  }

  /** A whole number from 0; exact below 2^53. */
  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  /** All 64 bits of a number. */
  bits(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
  }

  text(): string {
    const start = this.pass(this.number());
    return this.buffer.toString('utf8', start, this.at);
  }

  /** Not copied. */
  bytes(): Buffer {
    const start = this.pass(this.number());
    return this.buffer.subarray(start, this.at);
  }

  /** The message in this field. */
  inner(): WireReader {
    const start = this.pass(this.number());
    return new WireReader(this.buffer, start, this.at);
  }

  /** @throws RangeError at what is no field */
  skip(): void {
    if (this.type === VARINT) this.number();
    else if (this.type === BYTES) this.pass(this.number());
    else if (this.type === FIXED_64) this.pass(8);
    else if (this.type === FIXED_32) this.pass(4);
    else throw new RangeError(`wire type ${this.type} is not known`);
  }

  /** @returns where what was passed begins */
  private pass(length: number): number {
    const start = this.at;
    if (length > this.end - start) throw new RangeError('a message ends within a field');
    this.at = start + length;
    return start;
  }

  private byte(): number {
    if (this.at >= this.end) throw new RangeError('a message ends within a number');
    return this.buffer[this.at++]!;
  }
}
