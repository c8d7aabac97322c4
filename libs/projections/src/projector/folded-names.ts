import type { FoldSession } from './fold-session.js';

/** Keys that stand for the names of tenants, or for labels, in the rows. */
export class FoldedNames {
  private readonly keys = new Map<string, number>();

  constructor(
    private readonly session: FoldSession,
    private readonly table: 'tenant' | 'label',
  ) {}

  /** The key of a name that is in memory. */
  known(text: string): number | undefined {
    return this.keys.get(text);
  }

  /** The key of a name, given when it occurs for the first time. */
  async key(text: string): Promise<number> {
    const known = this.keys.get(text);
    if (known !== undefined) return known;
    const { rows, statements } = this.session;
    const { find, add } = statements[this.table];
    let key = (await rows.all(find, { text }))[0]?.key;
    if (key === undefined) {
      await rows.run(add, { key: this.session.next(this.table), text });
      // Another shard may have named it at the same moment.
      key = (await rows.all(find, { text }))[0]!.key;
    }
    this.keys.set(text, key);
    return key;
  }

  reset(): void {
    this.keys.clear();
  }
}
