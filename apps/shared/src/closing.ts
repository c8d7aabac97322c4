/** What a program has opened: closed in reverse, also when a later step of its start fails. */
export class Closing {
  private readonly opened: (() => Promise<unknown> | void)[] = [];

  /** Has `close` called at the end. */
  add(close: () => Promise<unknown> | void): void {
    this.opened.push(close);
  }

  /** Safe to call twice. */
  async all(): Promise<void> {
    for (const close of this.opened.splice(0).toReversed()) await close();
  }
}
