/** The only source of "now": injected, so that tests and replays own time. */
export abstract class Clock {
  /** Epoch milliseconds, UTC. */
  abstract nowMs(): number;
}

export class SystemClock extends Clock {
  nowMs(): number {
    return Date.now();
  }
}

/** A clock that stands still until it is moved. */
export class FixedClock extends Clock {
  constructor(private epochMs: number) {
    super();
  }

  nowMs(): number {
    return this.epochMs;
  }

  advance(ms: number): void {
    this.epochMs += ms;
  }
}
