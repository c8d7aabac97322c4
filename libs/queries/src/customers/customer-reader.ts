import { Injectable } from '@nestjs/common';
import { AGENT_WORK_CODES, DIRECTION_CODES, ReadModel } from '#libs/projections';
import { toInstant, uuidOfBytes } from '#libs/kernel';
import { commitmentRows, showCommitments, type CommitmentRow } from '../agent-work/open-commitments.js';
import type { ContactCount, Past, PastIdentity } from '../as-of/past.js';
import { Labels } from '../shared/labels.js';
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
}

/** Puts together what the header of a customer shows. */
@Injectable()
export class CustomerReader {
  constructor(
    private readonly readModel: ReadModel,
    private readonly labels: Labels,
  ) {}

  read(customer: number): Promise<CustomerDto> {
    return this.readPart({ customers: [customer] });
  }

  /** The customer that these identities would be. There must be one. */
  async readPart({ customers, identities: only }: CustomerPart): Promise<CustomerDto> {
    const { db } = this.readModel;
    const [identities, profiles, counts, commitments] = await Promise.all([
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
    ]);
    return this.show({
      identities,
      profiles: profiles.map(({ data }) => data),
      counts,
      commitments: [commitments],
    });
  }

  /** Rows for `show` of the customer that these identities made up. */
  async readPast(past: Past, keys: readonly number[]): Promise<CustomerRows> {
    return {
      identities: await past.identities(keys),
      profiles: await past.profiles(keys),
      counts: await past.counts(keys),
      commitments: await past.commitments(keys),
    };
  }

  async show({ identities, profiles, counts, commitments }: CustomerRows): Promise<CustomerDto> {
    const label = await this.labels.load(new Set(counts.map(({ channel }) => channel)));
    const channels: Record<string, number> = {};
    const begun: Record<string, number> = {};
    for (const { channel, direction, count } of counts) {
      const name = label(channel);
      channels[name] = (channels[name] ?? 0) + Number(count);
      if (direction === INBOUND) begun[name] = (begun[name] ?? 0) + Number(count);
    }
    const preferred = Object.entries(begun).toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))[0]?.[0];
    const named = identities.filter((i) => i.name !== null).toSorted((a, b) => a.nameAt! - b.nameAt! || a.key - b.key);
    const shown = named.find((i) => i.type === 'profile') ?? named[0];
    const names = new Set([...(shown ? [shown] : []), ...named].map(({ name }) => name!));
    return {
      id: uuidOfBytes(identities[0]!.id),
      ...(shown?.name ? { name: shown.name } : {}),
      names: [...names],
      identities: identities.map((i) => ({
        id: uuidOfBytes(i.id),
        type: i.type,
        value: i.value,
        verified: i.verified === 1,
      })),
      profiles: profiles.map((data) => JSON.parse(data) as CustomerProfileDto),
      channels,
      interactions: Object.values(channels).reduce((sum, n) => sum + n, 0),
      ...(preferred === undefined ? {} : { preferredChannel: preferred }),
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
