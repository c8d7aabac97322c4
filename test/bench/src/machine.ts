import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { openSqlite } from '#libs/kernel/sqlite.js';

/** What the figures depend on; nothing that says where the machine is. */
export interface Machine {
  cores: number;
  model: string;
  memoryGb: number;
  kernel: string;
  node: string;
  sqlite: string;
  /** Programs that wanted a core in the minute before. */
  loadBefore: number;
}

export const machineFacts = (): Machine => {
  const driver = process.env.HILO_SQLITE_DRIVER ?? 'libsql';
  const file = new URL(`../../../../node_modules/${driver}/package.json`, import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  const db = openSqlite(':memory:');
  const engine = db.prepare('SELECT sqlite_version() AS version').first<{ version: string }>([])!.version;
  db.close();
  return {
    cores: availableParallelism(),
    model: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGb: Math.round(totalmem() / 1e9),
    kernel: `${process.platform} ${/^[\d.]*\d/.exec(release())?.[0] ?? ''}`.trim(),
    node: process.version,
    sqlite: `${driver} ${version}, SQLite ${engine}`,
    loadBefore: Math.round(loadavg()[0]! * 10) / 10,
  };
};
