import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '#libs/kernel';

/** Something that a program cannot do its work without. */
export interface HealthCheck {
  /** As the answer names it: `eventStore`. */
  name: string;
  /** Rejects where it is missing; what it resolves with is told in the answer. */
  ask(): Promise<Readonly<Record<string, unknown>> | void>;
}

/** A check that has not answered by then has failed. */
const PATIENCE_MS = 3000;

/** Whether a program can do its work, and what it lacks. */
export class Readiness {
  constructor(private readonly checks: readonly HealthCheck[]) {}

  async look(): Promise<{ ready: boolean; body: Record<string, unknown> }> {
    const body: Record<string, unknown> = {};
    let ready = true;
    await Promise.all(
      this.checks.map(async (check) => {
        const { name } = check;
        try {
          Object.assign(body, { [name]: 'ok' }, await within(check.ask()));
        } catch (error) {
          ready = false;
          const facts = (error as { facts?: Record<string, unknown> }).facts;
          Object.assign(body, { [name]: 'unavailable', [`${name}Code`]: codeOf(error) ?? 'unknown' }, facts);
        }
      }),
    );
    return { ready, body: { status: ready ? 'ok' : 'unavailable', ...body } };
  }
}

const within = async <T>(asked: Promise<T>): Promise<T> => {
  const giveUp = new AbortController();
  const late = sleep(PATIENCE_MS, undefined, { signal: giveUp.signal, ref: false }).then(() => {
    throw Object.assign(new Error(`no answer in ${PATIENCE_MS} ms`), { code: 'HEALTH.NO_ANSWER' });
  });
  late.catch(() => undefined);
  return Promise.race([asked, late]).finally(() => giveUp.abort());
};
