import { HubError } from '#libs/kernel';

/** Bytes of bodies that are taken apart at a time: what is parsed should be recorded before the next garbage collection finds it alive. */
const INSIDE_BYTES = 96 * 1024;

/** Bytes of bodies that may wait for their turn. */
const WAITING_BYTES = 64 * 1024 * 1024;

/**
 * Lets bodies in first come first served. A body that waits is one run of bytes; parsed, it is thousands of objects, and
 * those of many bodies at once would outlive the young generation of the heap (measured: a third of the processor time).
 */
export class Turnstile {
  private inside = 0;
  private waitingBytes = 0;
  private readonly waiting: { bytes: number; enter: () => void }[] = [];

  constructor(
    private readonly insideBytes = INSIDE_BYTES,
    private readonly capacityBytes = WAITING_BYTES,
  ) {}

  /**
   * Runs `work` when it is the turn of a body of so many bytes; a larger one than fits goes in alone.
   * @throws HubError `BUS.FULL` (retryable) when too much waits already.
   */
  async pass<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (this.waiting.length > 0 || !this.fits(bytes)) await this.turn(bytes);
    else this.inside += bytes;
    try {
      return await work();
    } finally {
      this.inside -= bytes;
      for (let next = this.waiting[0]; next && this.fits(next.bytes); next = this.waiting[0]) {
        this.waiting.shift();
        this.waitingBytes -= next.bytes;
        this.inside += next.bytes;
        next.enter();
      }
    }
  }

  private turn(bytes: number): Promise<void> {
    if (this.waitingBytes + bytes > this.capacityBytes)
      throw new HubError('BUS.FULL', `${this.waitingBytes} bytes are waiting to be recorded; try again later`, {
        retryable: true,
      });
    this.waitingBytes += bytes;
    return new Promise((enter) => this.waiting.push({ bytes, enter }));
  }

  private fits(bytes: number): boolean {
    return this.inside === 0 || this.inside + bytes <= this.insideBytes;
  }
}
