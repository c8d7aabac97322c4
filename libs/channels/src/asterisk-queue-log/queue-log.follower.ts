import { createHash } from 'node:crypto';
import { mkdir, open, readFile, readdir, rename, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '#libs/kernel';
import type { IgnoredItem, ParsedInteraction } from '../channel-adapter.port.js';
import { fieldsOf, listOf } from '../shared/lax.js';
import { parseQueueLogLine, QueueCalls, type QueueVisits } from './queue-log.parse.js';

/** A place in the log: which file, by inode, and how many bytes into it. */
interface Place {
  inode: string;
  offset: number;
  /** Counts the files read since the start; places compare by it first. */
  generation: number;
  /** Digest of the file's first line; empty while it has none. */
  head: string;
}

/** What survives a restart. */
interface SavedState {
  inode: string;
  offset: number;
  /** Digest of the file's first line: a new file may be given the inode of a deleted one. */
  head: string;
  visits: QueueVisits;
}

export interface FollowerOptions {
  file: string;
  stateFile: string;
  /** Name of the account. */
  account: string;
  maxOpenHours: number;
  /** Resolves once the contacts are durable; after that their lines are not read again. */
  publish(contacts: readonly ParsedInteraction[]): Promise<void>;
  ignored(item: IgnoredItem): void;
  nowMs(): number;
  /** Told when lines may be missing, because the file read last is gone. */
  warn(message: string): void;
}

const chunkBytes = 64 * 1024;
const maxLineBytes = 64 * 1024;
const publishAtOnce = 500;
const packed = /\.(?:gz|bz2|xz|zst|zip)$/;

const visitsOf = (value: unknown): QueueVisits =>
  Object.fromEntries(
    Object.entries(fieldsOf<QueueVisits>(value) ?? {}).map(([call, times]) => [
      call,
      listOf(times).filter((ms) => typeof ms === 'number'),
    ]),
  );

const headBytes = 1024;

const headOf = async (handle: FileHandle): Promise<string> => {
  const bytes = Buffer.alloc(headBytes);
  const { bytesRead } = await handle.read(bytes, 0, headBytes, 0);
  const end = bytes.subarray(0, bytesRead).indexOf(0x0a);
  if (end < 0 && bytesRead < headBytes) return '';
  return createHash('sha256')
    .update(bytes.subarray(0, end < 0 ? headBytes : end))
    .digest('base64url');
};

/**
 * Reads a log that is written to, from where an earlier run got to: whole lines only, across rotation by rename, by
 * inode. The place it saves is that of the first line of the oldest call still open, after everything before it is
 * durable: after a crash lines are read twice, never skipped.
 */
export class QueueLogFollower {
  private handle: FileHandle | undefined;
  private place: Place = { inode: '', offset: 0, generation: 0, head: '' };
  /** Bytes of the half-written last line; `place.offset` is behind them. */
  private partial = Buffer.alloc(0);
  private skipping = false;
  private calls: QueueCalls<Place>;
  private pending: ParsedInteraction[] = [];
  private saved = '';

  constructor(private readonly options: FollowerOptions) {
    this.calls = new QueueCalls(options.account, options.maxOpenHours);
  }

  /** Reads what is new, hands it over and saves the place. Rejects when handing over does; the next call tries again. */
  async poll(): Promise<void> {
    if (!this.handle && !(await this.start())) return;
    await this.flush();
    do await this.readToEnd();
    while (await this.turnOver());
    this.pending.push(...this.calls.expire(this.options.nowMs()));
    await this.flush();
  }

  async close(): Promise<void> {
    const handle = this.handle;
    this.handle = undefined;
    await handle?.close();
  }

  private async start(): Promise<boolean> {
    const state = await this.readState();
    this.calls = new QueueCalls(this.options.account, this.options.maxOpenHours, state?.visits);
    const last = state && (await this.findLast(state));
    if (last) return this.open(last.path, state.offset);
    if (state) this.options.warn('the log read last is gone; lines written to it since may be missing');
    return this.open(this.options.file, 0);
  }

  private async findLast(state: SavedState): Promise<{ path: string } | undefined> {
    for (const file of await this.files()) {
      if (file.inode !== state.inode || file.size < state.offset) continue;
      const handle = await open(file.path, 'r');
      const head = await headOf(handle);
      await handle.close();
      if (state.head === '' || head === state.head) return file;
    }
    return undefined;
  }

  private async open(path: string, offset: number): Promise<boolean> {
    let next: FileHandle;
    try {
      next = await open(path, 'r');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    }
    await this.handle?.close();
    this.handle = next;
    const inode = String((await next.stat()).ino);
    this.place = { inode, offset, generation: this.place.generation + 1, head: await headOf(next) };
    [this.partial, this.skipping] = [Buffer.alloc(0), false];
    return true;
  }

  private async readToEnd(): Promise<void> {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (;;) {
      const { bytesRead } = await this.handle!.read(chunk, 0, chunk.length, this.place.offset);
      if (bytesRead === 0) return;
      if (this.place.head === '') this.place = { ...this.place, head: await headOf(this.handle!) };
      const start = this.place.offset - this.partial.length;
      this.place = { ...this.place, offset: this.place.offset + bytesRead };
      this.lines(Buffer.concat([this.partial, chunk.subarray(0, bytesRead)]), start);
      if (this.pending.length >= publishAtOnce) await this.flush();
    }
  }

  private lines(bytes: Buffer, start: number): void {
    let from = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, from)) {
      if (!this.skipping) this.line(bytes.toString('utf8', from, end), { ...this.place, offset: start + from });
      this.skipping = false;
      from = end + 1;
    }
    this.partial = Buffer.from(bytes.subarray(from));
    if (this.partial.length <= maxLineBytes) return;
    // No line of a queue log is that long: what follows up to its end is not kept in memory.
    [this.partial, this.skipping] = [Buffer.alloc(0), true];
  }

  private line(text: string, place: Place): void {
    if (text.trim() === '') return;
    const line = parseQueueLogLine(text);
    const read = line ? this.calls.line(line, place) : 'invalid';
    if (typeof read === 'string') this.options.ignored({ reason: read, item: String(place.offset) });
    else this.pending.push(...read);
  }

  private async flush(): Promise<void> {
    if (this.pending.length > 0) {
      await this.options.publish(this.pending);
      this.pending = [];
    }
    const { inode, offset, head } = this.safePlace();
    await this.saveState({ inode, offset, head, visits: this.calls.visitsSoFar() });
  }

  private safePlace(): Place {
    let safe: Place = { ...this.place, offset: this.place.offset - this.partial.length };
    for (const place of this.calls.openPlaces())
      if (place.generation < safe.generation || (place.generation === safe.generation && place.offset < safe.offset))
        safe = place;
    return safe;
  }

  /** Goes on to the next file once this one is finished; false while there is none. */
  private async turnOver(): Promise<boolean> {
    const mine = await this.handle!.stat();
    if (mine.size < this.place.offset) {
      // Truncated in place (copytruncate): what is there now is new.
      [this.partial, this.skipping] = [Buffer.alloc(0), false];
      this.place = { ...this.place, offset: 0, generation: this.place.generation + 1, head: '' };
      return true;
    }
    const others = (await this.files()).filter(
      (file) => file.inode !== this.place.inode && (file.isCurrent || file.mtimeMs > mine.mtimeMs),
    );
    const next = others.toSorted((a, b) => Number(a.isCurrent) - Number(b.isCurrent) || a.mtimeMs - b.mtimeMs)[0];
    // An empty new file does not yet say that the PBX has let go of the old one.
    if (!next || next.size === 0) return false;
    await this.readToEnd();
    return this.open(next.path, 0);
  }

  /** The log and its rotated predecessors that can still be read. */
  private async files(): Promise<{ path: string; inode: string; size: number; mtimeMs: number; isCurrent: boolean }[]> {
    const [directory, name] = [dirname(this.options.file), basename(this.options.file)];
    const names = await readdir(directory).catch(() => []);
    const files = await Promise.all(
      names
        .filter(
          (one) => (one === name || one.startsWith(`${name}.`) || one.startsWith(`${name}-`)) && !packed.test(one),
        )
        .map(async (one) => {
          const path = join(directory, one);
          const found = await stat(path).catch(() => undefined);
          return found?.isFile()
            ? { path, inode: String(found.ino), size: found.size, mtimeMs: found.mtimeMs, isCurrent: one === name }
            : undefined;
        }),
    );
    return files.filter((file) => file !== undefined);
  }

  private async readState(): Promise<SavedState | undefined> {
    try {
      const state = fieldsOf<SavedState>(JSON.parse(await readFile(this.options.stateFile, 'utf8')));
      if (typeof state?.inode !== 'string' || typeof state.offset !== 'number') return undefined;
      const head = typeof state.head === 'string' ? state.head : '';
      return { inode: state.inode, offset: state.offset, head, visits: visitsOf(state.visits) };
    } catch (error) {
      if (codeOf(error) !== 'ENOENT')
        this.options.warn('the saved place cannot be read; the log is read from its beginning');
      return undefined;
    }
  }

  private async saveState(state: SavedState): Promise<void> {
    const text = JSON.stringify(state);
    if (text === this.saved) return;
    await mkdir(dirname(this.options.stateFile), { recursive: true });
    const temporary = `${this.options.stateFile}.new`;
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, this.options.stateFile);
    this.saved = text;
  }
}
