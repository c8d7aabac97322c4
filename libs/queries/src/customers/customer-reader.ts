import { Injectable } from '@nestjs/common';
import { commitmentRows, showCommitments, type CommitmentRow } from '../agent-work/open-commitments.js';
import {
  AGENT_WORK_CODES,
  DIRECTION_CODES,
  ReadModel,
  type ConsentTable,
  type PreferenceTable,
} from '#libs/projections';
import { Clock, toInstant, uuidOfBytes, type Uuid } from '#libs/kernel';
import type { ContactCount, Past, PastIdentity } from '../as-of/past.js';
import { consentsAt, preferencesAt } from '../consents/show-statements.js';
import { Labels } from '../shared/labels.js';
import { showIdentity } from './show-identity.js';
import type { CustomerDto, CustomerProfileDto } from './customer.dto.js';

const INBOUND = DIRECTION_CODES.indexOf('inbound');

/** Identities that are or would be one customer. */
export interface CustomerPart {
  /** Keys of the customers they belong to now. */
  customers: readonly number[];
  /** Keys of those that count; all of them where absent. */
  identities?: readonly number[];
}

/** What is stored of a customer: its identities and profiles by key, its contacts counted, in one or several parts. */
export interface CustomerRows {
  identities: readonly PastIdentity[];
  /** JSON of each. */
  profiles: readonly string[];
  counts: readonly ContactCount[];
  /** Open ones, as one or several questions found them. */
  commitments: readonly (readonly CommitmentRow[])[];
  /** Everything that was said, in any order. */
  consents: readonly ConsentTable[];
  preferences: readonly PreferenceTable[];
}

/** Puts together what the header of a customer shows. */
@Injectable()
export class CustomerReader {
  constructor(
    private readonly readModel: ReadModel,
    private readonly labels: Labels,
    private readonly clock: Clock,
  ) {}

  read(customer: number): Promise<CustomerDto> {
    return this.readPart({ customers: [customer] });
  }

  /** The customer that these identities would be. There must be one. */
  async readPart({ customers, identities: only }: CustomerPart): Promise<CustomerDto> {
    const { db } = this.readModel;
    const [identities, profiles, counts, commitments, consents, preferences] = await Promise.all([
      db
        .selectFrom('identity')
        .selectAll()
        .where('customer', 'in', customers)
        .$if(only !== undefined, (query) => query.where('key', 'in', only!))
        .orderBy('key')
        .execute(),
      db
        .selectFrom('profile')
        .innerJoin('identity', 'identity.key', 'profile.identity')
        .select('profile.data')
        .where('identity.customer', 'in', customers)
        .$if(only !== undefined, (query) => query.where('identity.key', 'in', only!))
        .orderBy('profile.identity')
        .execute(),
      db
        .selectFrom('timeline')
        .select(({ fn }) => [
          'channel',
          'direction',
          fn.countAll<number>().as('count'),
          fn.min('occurredAt').as('first'),
          fn.max('occurredAt').as('last'),
        ])
        .where('customer', 'in', customers)
        .where('kind', 'not in', AGENT_WORK_CODES)
        .$if(only !== undefined, (query) => query.where('identity', 'in', only!))
        .groupBy(['channel', 'direction'])
        .execute(),
      commitmentRows(db)
        .where('identity.customer', 'in', customers)
        .where('commitment.endedPosition', 'is', null)
        .$if(only !== undefined, (query) => query.where('identity.key', 'in', only!))
        .execute(),
      db
        .selectFrom('consent')
        .innerJoin('identity', 'identity.key', 'consent.identity')
        .selectAll('consent')
        .where('identity.customer', 'in', customers)
        .$if(only !== undefined, (query) => query.where('identity.key', 'in', only!))
        .execute(),
      db
        .selectFrom('preference')
        .innerJoin('identity', 'identity.key', 'preference.identity')
        .selectAll('preference')
        .where('identity.customer', 'in', customers)
        .$if(only !== undefined, (query) => query.where('identity.key', 'in', only!))
        .execute(),
    ]);
    const records = profiles.map(({ data }) => data);
    const rows = { identities, profiles: records, counts, commitments: [commitments], consents, preferences };
    return this.show(rows, this.clock.nowMs());
  }

  /** Rows for `show` of the customer that these identities made up. */
  async readPast(past: Past, keys: readonly number[]): Promise<CustomerRows> {
    return {
      identities: await past.identities(keys),
      profiles: await past.profiles(keys),
      counts: await past.counts(keys),
      commitments: await past.commitments(keys),
      consents: await past.consents(keys),
      preferences: await past.preferences(keys),
    };
  }

  /** @param atMs epoch milliseconds: what was said to end by then no longer holds */
  async show(rows: CustomerRows, atMs: number): Promise<CustomerDto> {
    const { identities, profiles, counts, commitments } = rows;
    const label = await this.labels.load(new Set(counts.map(({ channel }) => channel)));
    const channels: Record<string, number> = {};
    const begun: Record<string, number> = {};
    for (const { channel, direction, count } of counts) {
      const name = label(channel);
      channels[name] = (channels[name] ?? 0) + Number(count);
      if (direction === INBOUND) begun[name] = (begun[name] ?? 0) + Number(count);
    }
    const observed = Object.entries(begun).toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))[0]?.[0];
    const ids = new Map(identities.map(({ key, id }) => [key, uuidOfBytes(id)]));
    const idOf = (identity: number): Uuid => ids.get(identity)!;
    const preferences = preferencesAt(rows.preferences, atMs, idOf);
    const stated = preferences.find(({ purpose }) => purpose === undefined)?.channel;
    const preferred = stated ?? observed;
    const named = identities.filter((i) => i.name !== null).toSorted((a, b) => a.nameAt! - b.nameAt! || a.key - b.key);
    const shown = named.find((i) => i.type === 'profile') ?? named[0];
    const names = new Set([...(shown ? [shown] : []), ...named].map(({ name }) => name!));
    return {
      id: uuidOfBytes(identities[0]!.id),
      ...(shown?.name ? { name: shown.name } : {}),
      names: [...names],
      identities: identities.map(showIdentity),
      profiles: profiles.map((data) => JSON.parse(data) as CustomerProfileDto),
      channels,
      interactions: Object.values(channels).reduce((sum, n) => sum + n, 0),
      ...(preferred === undefined
        ? {}
        : {
            preferredChannel: preferred,
            preferredChannelSource: stated === undefined ? ('observed' as const) : ('stated' as const),
          }),
      preferences,
      consents: consentsAt(rows.consents, atMs, idOf),
      ...(counts.length === 0
        ? {}
        : {
            firstContactAt: toInstant(Math.min(...counts.map(({ first }) => Number(first)))),
            lastContactAt: toInstant(Math.max(...counts.map(({ last }) => Number(last)))),
          }),
      ...showCommitments(commitments),
    };
  }
}
