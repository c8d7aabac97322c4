interface Task {
  key: string;
  /** Never fails. */
  run: () => void;
}

/**
 * Runs tasks of different keys side by side, at most `maxRunning` at a time, and those of one key one after another in
 * the order in which they came.
 */
export class OrderedTasks {
  private readonly ready: Task[] = [];
  /** Keys with a task that runs or is ready, and what waits behind it. */
  private readonly behind = new Map<string, Task[]>();
  private running = 0;
  private waitingForIdle: (() => void)[] = [];

  constructor(private readonly maxRunning: number) {}

  /** Tasks that have not begun. */
  get waiting(): number {
    return this.unstarted;
  }
  private unstarted = 0;

  /** @returns what the task gives, once its turn has come */
  add<T>(key: string, run: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const task: Task = {
        key,
        run: () =>
          void run().then(
            (value) => {
              resolve(value);
              this.finished(key);
            },
            (error: unknown) => {
              reject(error);
              this.finished(key);
            },
          ),
      };
      this.unstarted += 1;
      const queue = this.behind.get(key);
      if (queue) queue.push(task);
      else {
        this.behind.set(key, []);
        this.ready.push(task);
        this.start();
      }
    });
  }

  /** Resolves when nothing runs or waits. */
  idle(): Promise<void> {
    return this.behind.size === 0 ? Promise.resolve() : new Promise((resolve) => this.waitingForIdle.push(resolve));
  }

  private start(): void {
    while (this.running < this.maxRunning && this.ready.length > 0) {
      const task = this.ready.shift()!;
      this.running += 1;
      this.unstarted -= 1;
      task.run();
    }
  }

  private finished(key: string): void {
    this.running -= 1;
    const next = this.behind.get(key)!.shift();
    if (next) this.ready.push(next);
    else this.behind.delete(key);
    this.start();
    if (this.behind.size === 0) for (const resolve of this.waitingForIdle.splice(0)) resolve();
  }
}
