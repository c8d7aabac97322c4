import { HubError } from '#libs/kernel';
import type { SqliteDatabase } from '#libs/kernel/sqlite.js';

export interface EventType {
  name: string;
  schema: number;
}

/** The small integers that stand for event types and tenants in the rows. */
export class NameTables {
  private readonly types = new Map<number, EventType>();
  private readonly typeKeys = new Map<string, number>();
  private readonly tenants = new Map<number, string>();
  private readonly tenantKeys = new Map<string, number>();

  constructor(private readonly db: SqliteDatabase) {
    this.reload();
  }

  /** Forgets what was added by a transaction that was undone, learns what another connection added. */
  reload(): void {
    for (const map of [this.types, this.typeKeys, this.tenants, this.tenantKeys]) map.clear();
    for (const { key, name, schema } of this.db
      .prepare('SELECT key, name, schema FROM event_type')
      .all<{ key: number; name: string; schema: number }>([]))
      this.learnType(key, { name, schema });
    for (const { key, name } of this.db.prepare('SELECT key, name FROM tenant').all<{ key: number; name: string }>([]))
      this.learnTenant(key, name);
  }

  type(key: number): EventType {
    return this.types.get(key) ?? this.afterReload(this.types, key, 'event type');
  }

  tenant(key: number): string {
    return this.tenants.get(key) ?? this.afterReload(this.tenants, key, 'tenant');
  }

  /** Keys of all schemas of these types that occur in the file. */
  keysOfTypes(names: readonly string[]): number[] {
    return [...this.types].filter(([, type]) => names.includes(type.name)).map(([key]) => key);
  }

  /** Key of a tenant, -1 when it occurs nowhere. */
  keyOfTenant(name: string): number {
    return this.tenantKeys.get(name) ?? -1;
  }

  /** Inside the writer's transaction. */
  typeKey(name: string, schema: number): number {
    const known = this.typeKeys.get(`${schema} ${name}`);
    if (known !== undefined) return known;
    const key = this.types.size + 1;
    this.db.prepare('INSERT INTO event_type VALUES (?, ?, ?)').run([key, name, schema]);
    return this.learnType(key, { name, schema });
  }

  /** Inside the writer's transaction. */
  tenantKey(name: string): number {
    const known = this.tenantKeys.get(name);
    if (known !== undefined) return known;
    const key = this.tenants.size + 1;
    this.db.prepare('INSERT INTO tenant VALUES (?, ?)').run([key, name]);
    return this.learnTenant(key, name);
  }

  private learnType(key: number, type: EventType): number {
    this.types.set(key, type);
    this.typeKeys.set(`${type.schema} ${type.name}`, key);
    return key;
  }

  private learnTenant(key: number, name: string): number {
    this.tenants.set(key, name);
    this.tenantKeys.set(name, key);
    return key;
  }

  private afterReload<T>(map: ReadonlyMap<number, T>, key: number, what: string): T {
    this.reload();
    const value = map.get(key);
    if (value === undefined)
      throw new HubError('EVENT_STORE.FAILED', `${what} ${key} is missing: events.db is damaged`);
    return value;
  }
}
