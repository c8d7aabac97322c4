import type { RunningHub } from '../../hub/src/start-hub.js';
import { HubSettings } from '#libs/kernel/settings.js';

/** The line from bus to timelines in this process, without HTTP. */
export interface Line extends Pick<RunningHub, 'app' | 'parts' | 'close'> {
  /** @throws what the projector has died of, if it has. */
  readonly checkAlive: () => void;
}

/** @throws HubError `DATA_DIRECTORY.OWNED` and what else keeps a hub from starting. */
export const startLine = async (settings: HubSettings, program: string): Promise<Line> => {
  let failed: Error | undefined;
  const { startHub } = await import('../../hub/src/start-hub.js');
  // What a command brings is recorded when it ends, whatever bus the hub has.
  const hub = await startHub(Object.assign(new HubSettings(), settings, { busUrl: 'embedded:' }), {
    listen: false,
    program,
    onFailure: (error) => (failed ??= error),
  });
  return {
    app: hub.app,
    parts: hub.parts,
    close: () => hub.close(),
    checkAlive: () => {
      if (failed) throw failed;
    },
  };
};

const QUIET_MS = 250;

/**
 * Resolves when the timelines show the whole log and nothing has been added to it for a moment: the links that follow
 * from new contacts are part of what is waited for.
 */
export const settled = async (
  { parts, checkAlive }: Line,
  report: (shown: number, head: number) => void,
  signal?: AbortSignal,
): Promise<void> => {
  const { log, progress } = parts;
  while (!signal?.aborted) {
    const head = await log.events.head();
    const reached = await progress.reached(head, QUIET_MS);
    checkAlive();
    report(progress.position(), head);
    if (!reached) continue;
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    if ((await log.events.head()) === head) return;
  }
};
