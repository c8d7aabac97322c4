import { HubSettings } from '#libs/kernel/settings.js';
import type { Line } from './line.js';
import { isShared } from './open-data.js';

export type { Line } from './line.js';

/** @throws HubError `DATA_DIRECTORY.OWNED` and what else keeps a hub from starting. */
export const startLine = async (given: HubSettings, program: string): Promise<Line> => {
  // What a command brings is recorded when it ends, whatever bus the hub has.
  const settings = Object.assign(new HubSettings(), given, { busUrl: 'embedded:' });
  if (isShared(settings)) {
    const { startSharedLine } = await import('./shared-line.js');
    return startSharedLine(settings, program);
  }
  let failed: Error | undefined;
  const { startHub } = await import('../../hub/src/start-hub.js');
  const hub = await startHub(settings, { listen: false, program, onFailure: (error) => (failed ??= error) });
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
