import { HubError, codeOf, messageOf } from '#libs/kernel';

/** Exit codes of the program, beside 0. */
export const EXIT = { failed: 1, usage: 2, interrupted: 130 } as const;

/** A command line that cannot be obeyed: the option, what is wrong with it, what to write instead. */
export const usageError = (option: string, problem: string, fix: string): HubError =>
  new HubError('CLI.USAGE', `${option}: ${problem}; ${fix}`);

/** Something that cannot be done as things are. */
export const failure = (message: string): HubError => new HubError('CLI.FAILED', message);

/** Work that was stopped by Ctrl-C; `howOn` says how it goes on. */
export const interrupted = (howOn: string): HubError => new HubError('CLI.INTERRUPTED', howOn);

const CODES: Readonly<Record<string, number>> = {
  'CLI.USAGE': EXIT.usage,
  'HISTORY.INVALID': EXIT.usage,
  'QUERY.INVALID': EXIT.usage,
  'ACCESS.INVALID': EXIT.usage,
  'CLI.INTERRUPTED': EXIT.interrupted,
  'HISTORY.ABORTED': EXIT.interrupted,
};

export const exitCodeOf = (error: unknown): number => CODES[codeOf(error) ?? ''] ?? EXIT.failed;

/** What stderr shows of an error: `hilo: …`, one line each problem. */
export const errorLines = (error: unknown): string =>
  messageOf(error)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => `hilo: ${line}\n`)
    .join('');
