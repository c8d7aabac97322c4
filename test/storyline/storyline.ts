import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip, gunzipSync } from 'node:zlib';

/** A year of contacts of one company group, with the truth of who is who; lies beside the project, not in it. */
export const STORYLINE = resolve('..', 'shared', 'data', 'omnichannel-storyline');
export const SCORER = resolve('..', 'shared', 'data', 'tools', 'score-identity.mjs');
export const hasStoryline = existsSync(join(STORYLINE, 'README.md'));

export const TENANTS = ['eagle-bank', 'skyline-air', 'beanhouse'] as const;

const CHANNEL_FILES = [
  'chat',
  'commerce',
  'email',
  'fax',
  'letter',
  'partner',
  'phone',
  'sms',
  'social',
  'store',
  'webform',
];

export interface StorylineRow {
  tenant: string;
  channel: string;
  source: string;
  externalId: string;
  receivedAt: string;
  attributes?: Record<string, unknown>;
  [field: string]: unknown;
}

interface StorylineProfile {
  tenant: string;
  profileId: string;
  firstName: string;
  lastName: string;
  birthDate?: string;
  createdAt: string;
  consent: Record<string, boolean>;
  address?: string;
  email?: string;
  phone?: string;
  account?: string;
  loyalty?: string;
  social?: string;
}

const IDENTIFIERS = ['email', 'phone', 'account', 'loyalty', 'social'] as const;

/** Every delivery, in the order it was received. */
export const deliveries = async (): Promise<StorylineRow[]> => {
  const rows: StorylineRow[] = [];
  for (const channel of CHANNEL_FILES) {
    const input = createReadStream(join(STORYLINE, 'events', `${channel}.ndjson.gz`)).pipe(createGunzip());
    for await (const line of createInterface({ input })) rows.push(JSON.parse(line) as StorylineRow);
  }
  return rows.toSorted((a, b) => (a.receivedAt < b.receivedAt ? -1 : a.receivedAt > b.receivedAt ? 1 : 0));
};

/** The truth: who made each contact, by `tenant|externalId`. Never an input of the product. */
export const personOf = async (): Promise<ReadonlyMap<string, string>> => {
  const people = new Map<string, string>();
  const input = createReadStream(join(STORYLINE, 'truth', 'events.ndjson.gz')).pipe(createGunzip());
  for await (const line of createInterface({ input })) {
    const { tenant, externalId, personId } = JSON.parse(line) as Record<string, string>;
    people.set(`${tenant}|${externalId}`, personId!);
  }
  return people;
};

/** A delivery as `hilo import` takes it: our field names, flat attributes, no note of where the record came from. */
export const importItem = ({ tenant: _tenant, source, prov: _prov, ...row }: StorylineRow): object => ({
  ...row,
  channel: row.channel === 'webform' ? 'web' : row.channel,
  account: source,
  ...(row.attributes
    ? { attributes: Object.fromEntries(Object.entries(row.attributes).map(([k, v]) => [k, flat(v)])) }
    : {}),
});

const flat = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((v) => (typeof v === 'object' && v !== null ? JSON.stringify(v) : v));
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
};

export const profiles = (): StorylineProfile[] =>
  gunzipSync(readFileSync(join(STORYLINE, 'profiles.ndjson.gz')))
    .toString('utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as StorylineProfile);

export const profileItem = (p: StorylineProfile): object => ({
  source: 'crm',
  externalId: p.profileId,
  givenName: p.firstName,
  familyName: p.lastName,
  ...(p.birthDate ? { birthDate: p.birthDate } : {}),
  createdAt: `${p.createdAt}T00:00:00Z`,
  consents: p.consent,
  identifiers: [
    ...IDENTIFIERS.flatMap((type) => (p[type] === undefined ? [] : [{ type, value: p[type] }])),
    ...(p.address === undefined ? [] : [{ type: 'postal', value: p.address }]),
  ],
});

/** The same list in another order, the same one for the same seed. */
export const shuffled = <T>(items: readonly T[], seed: number): T[] => {
  const result = [...items];
  let state = seed >>> 0;
  const next = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
};
