import { setTimeout as sleep } from 'node:timers/promises';
import { Hub } from '../hub.js';
import { Program } from '../program.js';
import type { Round } from '../round.js';
import { median } from '../stats.js';

/** Start to ready with a history stored, next to an empty program of the same framework; then the hub at rest. */
export const measureStart = async ({ results, sizes, workspace, say }: Round, dataDir: string): Promise<void> => {
  const hubMs: number[] = [];
  const emptyMs: number[] = [];
  for (let i = 0; i < sizes.starts; i++) {
    const empty = await Program.start(workspace, {
      file: new URL('../yardsticks/empty-nest.program.js', import.meta.url),
      readyPath: '/',
    });
    emptyMs.push(empty.readyMs);
    await empty.stop();
    const hub = await Hub.start(workspace, dataDir);
    hubMs.push(hub.readyMs);
    if (i === sizes.starts - 1) {
      await sleep(sizes.restSeconds * 1000);
      const memory = hub.memory();
      if (memory) results.add('memoryIdle', memory.nowMb);
    }
    await hub.stop();
  }
  results.add('start', median(hubMs), median(emptyMs));
  say(`start ${Math.round(median(hubMs))} ms, empty program ${Math.round(median(emptyMs))} ms`);
};
