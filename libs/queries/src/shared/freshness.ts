import { Injectable } from '@nestjs/common';
import { HubError } from '#libs/kernel';
import { ProjectionProgress } from '#libs/projections';
import { whole, type RawQuery } from './parameters.js';

/** How long a question waits for the projector before it gives up. */
const WAIT_MS = 5_000;

/** Read-your-writes: lets a question wait until the read model shows a position. */
@Injectable()
export class Freshness {
  constructor(private readonly progress: ProjectionProgress) {}

  /** @throws HubError `READ_MODEL.BEHIND`, retryable, when the read model does not show the tenant so much within 5 s. */
  async atLeast(tenant: string, query: RawQuery): Promise<void> {
    const position = whole(query, 'atLeast', 0, Number.MAX_SAFE_INTEGER);
    if (position !== undefined) await this.reached(tenant, position);
  }

  /** @throws HubError `READ_MODEL.BEHIND`, retryable, when the read model is not there within 5 s. */
  async reached(tenant: string, position: number): Promise<void> {
    const shown = this.progress.of(tenant);
    if (await shown.reached(position, WAIT_MS)) return;
    throw new HubError(
      'READ_MODEL.BEHIND',
      `the timeline shows position ${shown.position()}, not yet ${position}; ask again`,
      { retryable: true },
    );
  }
}
