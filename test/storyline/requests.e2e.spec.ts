import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ErasureDto } from '#libs/commands/erasure/erasure.dto.js';
import type { CustomerIdentifier } from '#libs/kernel';
import type { CustomerDto } from '#libs/queries/customers/customer.dto.js';
import type { HubClient } from '../e2e/hub-client.js';
import { HubProcess, cleanUp, hilo, temporaryDirectory } from '../e2e/hub-process.js';
import { eventually } from '../e2e/waiting.js';
import { importAll } from './import.js';
import { everythingDelivered, normalisedText, personalValues, type Delivered } from './personal-values.js';
import { STORYLINE, TENANTS, deliveries, hasStoryline } from './storyline.js';
import { TextSearch } from './text-search.js';

const MINUTES = 60_000;
const where = hasStoryline ? describe : describe.skip;
const title = hasStoryline
  ? 'the privacy requests at the end of a year'
  : `the privacy requests at the end of a year (skipped: ${STORYLINE} is not on this machine)`;

interface PrivacyRequest {
  tenant: string;
  requestId: string;
  type: 'erasure' | 'access' | 'opt-out';
  identifier: CustomerIdentifier;
}

/** What is read here of everything about a person. */
interface CustomerData {
  customer: CustomerDto;
  identities: (CustomerIdentifier & { id: string })[];
  profiles: { imports: { externalId: string }[] }[];
  interactions: { id: string; revisions: { externalId: string }[] }[];
}

const readRequests = (): PrivacyRequest[] =>
  readFileSync(join(STORYLINE, 'requests.ndjson'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as PrivacyRequest);

const textOf = ({ type, value }: CustomerIdentifier): string => `${type}:${value}`;
/** Mail to an address with a tag comes to the one without. */
const untagged = (identifier: string): string => identifier.replace(/\+[^@]+(?=@)/, '');

/** Ids that providers gave to what is told of a person, with the tenant. */
const toldOf = (tenant: string, { interactions, profiles }: CustomerData): string[] =>
  [...interactions.flatMap(({ revisions }) => revisions), ...profiles.flatMap(({ imports }) => imports)].map(
    ({ externalId }) => `${tenant} ${externalId}`,
  );
const placeOf = ({ tenant, externalId }: Delivered): string => `${tenant} ${externalId}`;

/** Values by file, of all files of a directory; those without any are left out. */
const search = (values: TextSearch, directory: string): Record<string, string[]> =>
  Object.fromEntries(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(
        ({ parentPath, name }) =>
          [name, [...values.foundIn(readFileSync(join(parentPath, name)))]] as [string, string[]],
      )
      .filter(([, found]) => found.length > 0),
  );
const distinct = (found: Record<string, string[]>): Set<string> => new Set(Object.values(found).flat());

where(title, () => {
  const dataDir = temporaryDirectory();
  const clients = new Map<string, HubClient>();
  let hub: HubProcess;
  let delivered: Delivered[];
  afterAll(cleanUp);

  beforeAll(async () => {
    const rows = await deliveries();
    delivered = everythingDelivered(rows);
    await importAll(dataDir, rows, temporaryDirectory());
    hub = await HubProcess.start({ dataDir, env: { HILO_DEFAULT_COUNTRY: 'US' } });
    for (const tenant of TENANTS) {
      const { stdout } = await hilo(dataDir, 'api-keys', 'create', '--tenant', tenant, '--role', 'supervisor');
      clients.set(tenant, await hub.client({ key: stdout.trim() }));
    }
  }, 10 * MINUTES);

  const clientOf = ({ tenant }: PrivacyRequest): HubClient => clients.get(tenant)!;

  /** Everything about the one person a request is of; nothing that was delivered under the identifier is missing. */
  const dataOf = async (request: PrivacyRequest): Promise<CustomerData> => {
    const { tenant, requestId } = request;
    const client = clientOf(request);
    const under = (text: string): Delivered[] =>
      delivered.filter((one) => one.tenant === tenant && one.identifiers.includes(text));
    const asGiven = normalisedText(request.identifier);
    const identifier = under(asGiven).length > 0 ? asGiven : untagged(asGiven);
    const found = await client.customers(identifier);
    expect([requestId, found.length]).toEqual([requestId, 1]);

    const data = await client.mustGet<CustomerData>(`/v1/customers/${found[0]!.id}/data`);
    expect(data.interactions).toHaveLength(found[0]!.interactions);
    expect(data.identities.map(textOf)).toContain(identifier);
    const told = new Set(toldOf(tenant, data));
    const missing = under(identifier).filter((one) => !told.has(placeOf(one)));
    expect([requestId, missing.map(placeOf)]).toEqual([requestId, []]);
    return data;
  };

  const erase = async (
    request: PrivacyRequest,
    { customer, identities, interactions }: CustomerData,
  ): Promise<void> => {
    const client = clientOf(request);
    const asked = await client.post<ErasureDto>(`/v1/customers/${customer.id}/erase`, { reason: 'art-17' });
    const certificate = await eventually(async () => {
      const answer = await client.mustGet<ErasureDto>(`/v1/erasures/${asked.body.erasure}`);
      expect(answer).toMatchObject({ status: 'completed', contacts: interactions.length });
      return answer;
    });
    const erased = certificate.identities.map(({ identity }) => identity);
    expect(erased).toEqual(expect.arrayContaining(identities.map(({ id }) => id)));
    expect(await client.customers(textOf(request.identifier))).toEqual([]);
    expect((await client.get(`/v1/customers/${customer.id}`)).status).toBe(410);
  };

  /** A number may have gone from one person to another: it is said of each, since a denial harms nobody. */
  const optOut = async (request: PrivacyRequest): Promise<void> => {
    const client = clientOf(request);
    const found = await client.customers(textOf(request.identifier));
    expect(found.length).toBeGreaterThan(0);
    for (const { id } of found) {
      const said = { purpose: 'marketing', granted: false, evidence: `request ${request.requestId}` };
      const answer = await client.post<{ position: number }>(`/v1/customers/${id}/consents`, said);
      expect(answer).toMatchObject({ status: 200, body: { outcome: 'recorded' } });
      const header = await client.mustGet<CustomerDto>(`/v1/customers/${id}`, { atLeast: answer.body.position });
      expect(header.consents).toContainEqual(expect.objectContaining({ purpose: 'marketing', granted: false }));
    }
  };

  const exportAll = async (): Promise<string> => {
    const directory = temporaryDirectory();
    for (const tenant of TENANTS) {
      const file = join(directory, `${tenant}.ndjson`);
      expect(await hilo(dataDir, 'history', '--tenant', tenant, '--out', file)).toMatchObject({ code: 0 });
    }
    return directory;
  };

  it(
    'are carried out, and of whoever was erased nothing is left in any file or export',
    async () => {
      const requests = readRequests();
      const toErase = new Map<PrivacyRequest, CustomerData>();
      for (const request of requests) if (request.type === 'erasure') toErase.set(request, await dataOf(request));
      const places = new Set([...toErase].flatMap(([{ tenant }, data]) => toldOf(tenant, data)));
      const { values, shared } = personalValues(
        [...toErase.values()],
        delivered.filter((one) => places.has(placeOf(one))),
        delivered.filter((one) => !places.has(placeOf(one))),
      );
      const canaries = new TextSearch(values);

      // The search finds them while they are there.
      const inFiles = distinct(search(canaries, dataDir));
      const inExport = distinct(search(canaries, await exportAll()));
      process.stdout.write(
        `${toErase.size} customers to erase: ${values.length} values are searched for, ${shared} are left out since they ` +
          `are said of others too; before, ${inFiles.size} are in the data directory and ${inExport.size} in the export\n`,
      );
      expect(values.length).toBeGreaterThanOrEqual(200);
      expect(inFiles.size).toBeGreaterThanOrEqual(100);
      expect(inExport.size).toBeGreaterThanOrEqual(200);

      const done = { erasure: 0, access: 0, 'opt-out': 0 };
      for (const request of requests) {
        if (request.type === 'erasure') await erase(request, toErase.get(request)!);
        else if (request.type === 'access') await dataOf(request);
        else await optOut(request);
        done[request.type] += 1;
      }
      expect(done).toEqual({ erasure: 20, access: 10, 'opt-out': 10 });

      expect(search(canaries, dataDir)).toEqual({});
      expect((await hub.stop()).code).toBe(0);
      expect(canaries.foundIn(Buffer.from(`${hub.stdout}${hub.stderr}`))).toEqual(new Set());
      expect(await hilo(dataDir, 'rebuild')).toMatchObject({ code: 0 });
      expect(search(canaries, dataDir)).toEqual({});
      expect(search(canaries, await exportAll())).toEqual({});
    },
    10 * MINUTES,
  );
});
