import { Injectable } from '@nestjs/common';
import { EventStore } from '#libs/event-store';
import { Freshness } from '../shared/freshness.js';
import { invalidQuery, readCursor, type AsOf } from '../shared/cursor.js';
import { instant, single, whole, type RawQuery } from '../shared/parameters.js';

/** Reads which past a question asks for, and waits until the read model can show it. */
@Injectable()
export class AsOfReader {
  constructor(
    private readonly store: EventStore,
    private readonly freshness: Freshness,
  ) {}

  /**
   * The past named by `asOf` or `asOfPosition`, undefined for the present. An instant is resolved to a position once: a
   * cursor that came from it keeps that position, also where more has been recorded up to that instant since.
   * @throws HubError `QUERY.INVALID` naming the parameter
   */
  async read(query: RawQuery): Promise<AsOf | undefined> {
    const at = instant(query, 'asOf');
    const position = whole(query, 'asOfPosition', 0, Number.MAX_SAFE_INTEGER);
    if (at === undefined && position === undefined) return undefined;
    if (at !== undefined && position !== undefined)
      throw invalidQuery('asOfPosition', 'stands beside asOf', 'give one of them');
    const head = await this.store.head();
    if (position !== undefined) {
      if (position > head)
        throw invalidQuery('asOfPosition', 'is not recorded yet', `0 to ${head} is allowed, where the log ends now`);
      return { position };
    }
    for (const parameter of ['before', 'after']) {
      const cursor = single(query, parameter);
      const asOf = cursor === undefined ? undefined : readCursor(cursor, parameter).asOf;
      if (asOf && asOf.instant === at && asOf.position <= head) return asOf;
    }
    return { position: await this.store.recordedBy(at!), instant: at };
  }

  /**
   * As `read`, for what the read model answers.
   * @throws HubError `QUERY.INVALID`, or `READ_MODEL.BEHIND` when the read model is not there within 5 s
   */
  async shown(tenant: string, query: RawQuery): Promise<AsOf | undefined> {
    const asOf = await this.read(query);
    if (asOf) await this.freshness.reached(tenant, asOf.position);
    return asOf;
  }
}
