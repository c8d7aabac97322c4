/** What a job sends to whoever started it. */
export type JobAnswer<Result> = { result: Result } | { error: string };

/** The whole of a job file: reads its arguments, works, answers once. */
export const answer = <Arguments extends object, Result>(work: (args: Arguments) => Result | Promise<Result>): void => {
  const reply = (message: JobAnswer<Result>): void => void process.send!(message, () => process.disconnect());
  new Promise<Arguments>((resolve) => process.once('message', resolve)).then(work).then(
    (result) => reply({ result }),
    (error: unknown) => reply({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
};
