import type { INestApplicationContext } from '@nestjs/common';
import type { HubParts } from '../../shared/src/parts.js';

/** The line from bus to timelines without HTTP, recording in this process. */
export interface Line {
  app: INestApplicationContext;
  parts: Pick<HubParts, 'settings' | 'clock' | 'log' | 'bus' | 'progress' | 'accounts'>;
  close(): Promise<void>;
  /** @throws what the projector has died of, if it has. */
  readonly checkAlive: () => void;
}
