import { fork, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JobAnswer } from './job.js';

/** The temporary files and the processes of one benchmark; nothing of either outlives it. */
export class Workspace {
  private readonly root = mkdtempSync(join(tmpdir(), 'hilo-bench-'));
  private readonly children = new Set<ChildProcess>();
  private named = 0;

  /** A new directory. */
  directory(name: string): string {
    const directory = this.fresh(name);
    mkdirSync(directory);
    return directory;
  }

  /** A path that does not exist yet. */
  fresh(name: string): string {
    this.named += 1;
    return join(this.root, `${this.named}-${name}`);
  }

  remove(path: string): void {
    for (const end of ['', '-wal', '-shm']) rmSync(path + end, { recursive: true, force: true });
  }

  /** Remembers a process until it ends. */
  own<Child extends ChildProcess>(child: Child): Child {
    this.children.add(child);
    child.once('exit', () => this.children.delete(child));
    return child;
  }

  /** Runs a job file in a process of its own, so that memory and warm-up of one measurement are not those of another. */
  async run<Arguments extends object, Result>(file: URL, args: Arguments): Promise<Result> {
    const child = this.own(fork(fileURLToPath(file), { serialization: 'advanced' }));
    child.send(args);
    return new Promise((resolve, reject) => {
      child.on('message', (answer: JobAnswer<Result>) =>
        'result' in answer ? resolve(answer.result) : reject(new Error(answer.error)),
      );
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`${fileURLToPath(file)} ended with ${code ?? signal}`)));
    });
  }

  /** Safe to call at any moment, from an exit handler too. */
  close(): void {
    for (const child of this.children) child.kill('SIGKILL');
    this.children.clear();
    rmSync(this.root, { recursive: true, force: true, maxRetries: 3 });
  }
}
