import { messageOf } from '#libs/kernel';

/** What a program is once it runs. */
export interface Running {
  /** Takes nothing more in, finishes what it took, closes everything. */
  close(): Promise<void>;
}

/** What a supervisor of processes usually grants. */
const STOP_WITHIN_MS = 10_000;

/**
 * Runs a program to its end: exit code 0 after SIGINT or SIGTERM, 1 where it could not start, failed, or did not stop in
 * 10 s. Failures go to stderr, line by line.
 */
export const runProgram = async <R extends Running>(
  name: string,
  start: (onFailure: (error: Error) => void) => Promise<R>,
  announce: (running: R) => void,
): Promise<void> => {
  const report = (error: unknown): void => {
    for (const line of messageOf(error).split('\n')) process.stderr.write(`${name}: ${line}\n`);
  };
  const fail = (error: unknown): never => {
    report(error);
    process.exit(1);
  };
  let running: R | undefined;
  let stopping = false;
  const stop = (code: number): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(code || 1), STOP_WITHIN_MS).unref();
    void (running?.close() ?? Promise.resolve()).then(() => process.exit(code), fail);
  };
  process.on('SIGINT', () => stop(0));
  process.on('SIGTERM', () => stop(0));
  try {
    running = await start((error) => {
      report(error);
      stop(1);
    });
    announce(running);
  } catch (error) {
    fail(error);
  }
};
