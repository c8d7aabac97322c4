import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { codeOf, HubError } from '#libs/kernel';
import { openSqlite, type SqliteDatabase } from '#libs/kernel/sqlite.js';

/** Who holds a data directory. */
export interface DataDirectoryOwner {
  pid: number;
  /** For example `hub`. */
  program: string;
  /** Instant. */
  startedAt: string;
  /** Where its API listens, once it does. */
  url?: string;
}

const lockFile = (dir: string): string => join(dir, 'hub.lock');
const ownerFile = (dir: string): string => join(dir, 'owner.json');

// Long enough for a program that is just ending, short enough to wait for.
const CLAIM_WAIT_MS = 1000;

/**
 * The claim on a data directory: one program at a time. The lock is SQLite's own on `hub.lock`, held by an open
 * transaction, so the system drops it with the process, however that ends; `owner.json` only tells who it is.
 */
export class DataDirectory {
  private owner: DataDirectoryOwner;

  private constructor(
    /** Absolute path. */
    readonly path: string,
    program: string,
    private readonly lock: SqliteDatabase,
  ) {
    this.owner = { pid: process.pid, program, startedAt: new Date().toISOString() };
    this.writeOwner();
  }

  /**
   * Takes the directory, creating it (mode 0700) when missing.
   * @throws HubError `DATA_DIRECTORY.OWNED` while another program has it
   */
  static claim(dir: string, { program }: { program: string }): DataDirectory {
    const path = resolve(dir);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const lock = tryLock(path, 'BEGIN EXCLUSIVE', CLAIM_WAIT_MS);
    if (lock) return new DataDirectory(path, program, lock);
    const owner = readOwner(path);
    const who = owner ? `${owner.program} (process ${owner.pid}, since ${owner.startedAt})` : 'another program';
    throw new HubError(
      'DATA_DIRECTORY.OWNED',
      `${path} is in use by ${who}; stop it first, or set HILO_DATA_DIR to another directory`,
      { facts: { directory: path, pid: owner?.pid, program: owner?.program } },
    );
  }

  /** Who holds a directory now; undefined when nobody does, whatever an earlier owner has left. */
  static owner(dir: string): DataDirectoryOwner | undefined {
    const path = resolve(dir);
    if (!existsSync(lockFile(path))) return undefined;
    // A shared lock is enough to find out, and is not in the way of a claim for longer than that waits.
    const probe = tryLock(path, 'BEGIN; SELECT * FROM sqlite_master; ROLLBACK', 0);
    probe?.close();
    return probe ? undefined : readOwner(path);
  }

  /** Tells other programs where this one's API listens. */
  setUrl(url: string): void {
    this.owner = { ...this.owner, url };
    this.writeOwner();
  }

  /** Gives the directory up; safe to call twice. */
  release(): void {
    if (this.released) return;
    this.released = true;
    rmSync(ownerFile(this.path), { force: true });
    this.lock.exec('ROLLBACK');
    this.lock.close();
  }

  private released = false;

  private writeOwner(): void {
    // Written aside and renamed, so that a reader never meets half of it.
    const aside = `${ownerFile(this.path)}.new`;
    writeFileSync(aside, `${JSON.stringify(this.owner)}\n`, { mode: 0o600 });
    renameSync(aside, ownerFile(this.path));
  }
}

const tryLock = (path: string, begin: string, busyTimeoutMs: number): SqliteDatabase | undefined => {
  let lock: SqliteDatabase | undefined;
  try {
    lock = openSqlite(lockFile(path), { journal: 'rollback', busyTimeoutMs });
    lock.exec(begin);
    return lock;
  } catch (error) {
    lock?.close();
    if (/^SQLITE_(BUSY|LOCKED)/.test(codeOf(error) ?? '')) return undefined;
    throw error;
  }
};

const readOwner = (path: string): DataDirectoryOwner | undefined => {
  try {
    return JSON.parse(readFileSync(ownerFile(path), 'utf8')) as DataDirectoryOwner;
  } catch {
    return undefined; // about to be written, or just removed
  }
};
