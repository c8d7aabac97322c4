import { Injectable } from '@nestjs/common';
import { ReadModel } from '#libs/projections';
import { LruMap } from '#libs/kernel';

/** Names behind the integer keys of the read model; they never change, so they are kept. */
@Injectable()
export class Labels {
  private readonly texts = new LruMap<number, string>(10_000);
  private readonly keys = new LruMap<string, number>(10_000);
  private readonly tenants = new LruMap<string, number>(10_000);

  constructor(private readonly readModel: ReadModel) {}

  async load(keys: Iterable<number>): Promise<(key: number) => string> {
    const found = new Map<number, string>();
    const missing = new Set<number>();
    for (const key of keys) {
      const text = this.texts.get(key);
      if (text === undefined) missing.add(key);
      else found.set(key, text);
    }
    if (missing.size > 0) {
      const rows = await this.readModel.db
        .selectFrom('label')
        .selectAll()
        .where('key', 'in', [...missing])
        .execute();
      for (const { key, text } of rows) {
        this.texts.set(key, text);
        found.set(key, text);
      }
    }
    return (key) => found.get(key) ?? '';
  }

  /** Keys of the names that occur; a name without one is on no row. */
  async keysOf(names: readonly string[]): Promise<number[]> {
    const known = names.map((name) => this.keys.get(name));
    if (known.every((key) => key !== undefined)) return known;
    const rows = await this.readModel.db.selectFrom('label').selectAll().where('text', 'in', names).execute();
    for (const { key, text } of rows) this.keys.set(text, key);
    return rows.map(({ key }) => key);
  }

  /** Key of a tenant, undefined while it has no rows. */
  async tenant(name: string): Promise<number | undefined> {
    const known = this.tenants.get(name);
    if (known !== undefined) return known;
    const row = await this.readModel.db.selectFrom('tenant').select('key').where('text', '=', name).executeTakeFirst();
    if (row) this.tenants.set(name, row.key);
    return row?.key;
  }
}
