import { AccessTrail } from '#libs/access/trail/access-trail.js';
import { EventSealer } from '#libs/privacy/seal/event-sealer.js';

/** What a hub can be started without, to tell what it costs. */
export const PARTS = {
  sealing: () => {
    EventSealer.prototype.draft = (_stream, event) => ({ event });
  },
  looks: () => {
    AccessTrail.prototype.viewed = () => undefined;
  },
} as const;
export type Part = keyof typeof PARTS;

PARTS[process.env.BENCH_WITHOUT as Part]();
await import('../../../../apps/hub/src/main.js');
