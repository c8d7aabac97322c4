/**
 * What `work` gives, or the error of `late` when that takes longer. The work itself goes on: nothing can call it back.
 * @param ms milliseconds
 */
export const withDeadline = async <T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
    // What comes too late is nobody's.
    work.catch(() => undefined);
  }
};
