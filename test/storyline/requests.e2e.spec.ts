import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ErasureDto } from '#libs/commands/erasure/erasure.dto.js';
import { normaliseIdentifier } from '#libs/domain';
import type { CustomerIdentifier } from '#libs/kernel';
import type { CustomerDto } from '#libs/queries/customers/customer.dto.js';
import { HubProcess, cleanUp, hilo, temporaryDirectory } from '../e2e/hub-process.js';
import type { HubClient } from '../e2e/hub-client.js';
import { importAll } from './import.js';
import { STORYLINE, TENANTS, deliveries, hasStoryline, importItem, profileItem, profiles } from './storyline.js';
import { SHORTEST_BYTES, TextSearch } from './text-search.js';

const MINUTES = 60_000;
const where = hasStoryline ? describe : describe.skip;
const title = hasStoryline
  ? 'the privacy requests at the end of the year'
  : `the privacy requests at the end of the year (skipped: ${STORYLINE} is not on this machine)`;

interface PrivacyRequest {
  tenant: string;
  requestId: string;
  type: 'erasure' | 'access' | 'opt-out';
  identifier: CustomerIdentifier;
}

/** What the test reads of everything about a person. */
interface CustomerData {
  customer: CustomerDto;
  identities: { type: string; value: string }[];
  profiles: { imports: { source: string; externalId: string }[] }[];
  interactions: { id: string; revisions: { externalId: string }[] }[];
}

const requests = (): PrivacyRequest[] =>
  readFileSync(join(STORYLINE, 'requests.ndjson'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as PrivacyRequest);

/** Fields of the document that tell nothing of a person: ids, times, codes, and our own accounts and agents. */
const CLEAR = new Set([
  'id', 'identity', 'anchor', 'conversation', 'link', 'between', 'receipt', 'profile', 'type', 'source', 'channel', 'account', 'kind',
  'direction', 'language', 'agent', 'status', 'decision', 'evidence', 'preferredChannel', 'preferredChannelSource', 'purpose',
  'generatedAt', 'recordedAt', 'occurredAt', 'endedAt', 'receivedAt', 'firstContactAt', 'lastContactAt', 'statedAt', 'at',
  'accessLog', 'links',
]); // prettier-ignore

/** Every text in a document that is not known to be clear: what is added to it is searched for, too. */
const textsOf = (value: unknown): string[] => {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => (CLEAR.has(name) ? [] : textsOf(field)));
};

/**
 * What is searched for of a text: a page of a database may end in its midst, and JSON escapes some characters, so that
 * it is cut at these and into pieces. The ones too short to mean anything are left out.
 */
const piecesOf = (text: string): string[] =>
  (text.match(/[^\\"\p{Cc}]{1,64}/gu) ?? [])
    .map((piece) => piece.trim())
    .filter((piece) => Buffer.byteLength(piece) >= SHORTEST_BYTES);

const identifierText = ({ type, value }: CustomerIdentifier): string => `${type}:${value}`;

where(title, () => {
  const asked = requests();
  const dataDir = temporaryDirectory();
  const work = temporaryDirectory();
  const clients = new Map<string, HubClient>();
  let hub: HubProcess;
  afterAll(cleanUp);

  beforeAll(async () => {
    await importAll(dataDir, await deliveries(), work);
    hub = await HubProcess.start({ dataDir, env: { HILO_DEFAULT_COUNTRY: 'US' } });
    for (const tenant of TENANTS) {
      const { stdout } = await hilo(dataDir, 'api-keys', 'create', '--tenant', tenant, '--role', 'supervisor');
      clients.set(tenant, await hub.client({ key: stdout.trim() }));
    }
  }, 10 * MINUTES);

  it('explores', async () => {
    for (const { tenant, type, identifier, requestId } of asked) {
      const found = await clients.get(tenant)!.customers(identifierText(identifier));
      console.log(requestId, type, found.length, found.map((c) => [c.interactions, c.identities.length, c.profiles.length, c.identities.map(i=>i.type+':'+i.value).join(' ')]));
    }
  }, 10 * MINUTES);
});
