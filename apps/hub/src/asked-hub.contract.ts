import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ROLES, type Role } from '#libs/access';
import { httpOptions } from '#libs/access/http-options.js';
import { SqliteApiKeys } from '#libs/access/sqlite.api-keys.js';
import { AccessTrail } from '#libs/access/trail/access-trail.js';
import { EmbeddedInteractionBus } from '#libs/bus/embedded/embedded.interaction-bus.js';
import { readAccountsFile } from '#libs/channels/accounts/read-accounts.js';
import { channelAdapters } from '#libs/channels/channels.module.js';
import type { IngestAnswer } from '#libs/channels/ingest/ingest.service.js';
import { registerRawBody } from '#libs/channels/ingest/raw-body.js';
import type { WrittenDownDto } from '#libs/commands/agent-work/agent-work.dto.js';
import type { ErasureDto } from '#libs/commands/erasure/erasure.dto.js';
import { DEFAULT_RULES, type InteractionContent } from '#libs/domain';
import { streamId } from '#libs/event-store';
import { SystemClock, type Uuid } from '#libs/kernel';
import { silentLogger } from '#libs/kernel/logging.js';
import { readSettings } from '#libs/kernel/settings.js';
import { openSealedEventStore } from '#libs/privacy/open-sealed-event-store.js';
import { ProjectionProgress } from '#libs/projections';
import { Projector } from '#libs/projections/projector/projector.js';
import { openReadModel } from '#libs/projections/read-model/open-read-model.js';
import type { InteractionDto } from '#libs/queries/interactions/get-interaction.handler.js';
import { hardenHttp, serveDocs } from '../../shared/src/http.js';
import type { HubParts } from '../../shared/src/parts.js';
import { HubModule } from './hub.module.js';
import { CONTACT, PAIR, type Kind, type Route } from './route-table.contract.js';

/** What an invented person is called and says: nobody without `pii` may come to see any of it. */
export const CANARIES = [
  'lucia.canary',
  '+34600998877',
  'Lucía Canaria',
  'parrot feather',
  'a nest of straw',
  'canary-msg-1',
  'a promised perch',
];

/** What a hub answers. */
export interface HubAnswer {
  status: number;
  text: string;
}

export const json = <Body>({ text }: Pick<HubAnswer, 'text'>): Body => JSON.parse(text) as Body;

/** A hub of two tenants, each with the same invented person, for as long as the tests of a file run. */
export class AskedHub {
  app!: NestFastifyApplication;
  parts!: HubParts;
  /** Every route it has, as the table names them. */
  readonly routes = new Set<string>();
  /** Of tenant `acme`, by role. */
  readonly keyOf = {} as Record<Role, string>;
  /** Key of an analyst who may see personal data. */
  seeing!: string;
  /** Key of an agent who may not. */
  blindAgent!: string;
  /** Ids of `acme`. */
  readonly own = {} as Record<Kind, string>;
  /** Ids of `globex`. */
  readonly foreign = {} as Record<Kind, string>;

  private dataDir!: string;
  private projector!: Projector;
  private following = Promise.resolve();

  constructor() {
    beforeAll(() => this.start());
    afterAll(() => this.stop());
  }

  readonly ask = async (method: string, url: string, key?: string, body?: object): Promise<HubAnswer> => {
    const answer = await this.app.inject({
      method: method as 'GET',
      url,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
      // A live stream has headers, and no end.
      payloadAsStream: true,
    });
    const type = String(answer.headers['content-type']);
    const chunks: Buffer[] = [];
    const stream = answer.stream();
    if (type.startsWith('text/event-stream')) stream.destroy();
    else for await (const chunk of stream) chunks.push(chunk as Buffer);
    return { status: answer.statusCode, text: Buffer.concat(chunks).toString('utf8') };
  };

  /** Asks a route of the table about an id. */
  readonly take = (name: string, route: Route, id: string, key?: string): Promise<HubAnswer> =>
    this.ask(name.split(' ')[0]!, route.url(id), key, route.body);

  /** Resolves when everything that was asked and done is folded. */
  readonly fold = async (): Promise<void> => {
    await this.app.get(AccessTrail, { strict: false }).flush();
    await this.follow();
  };

  private follow(): Promise<void> {
    return (this.following = this.following.then(async () => {
      await this.projector.catchUp();
      this.parts.progress.advance({ position: await this.projector.checkpoint(), corrected: [] });
    }));
  }

  private async start(): Promise<void> {
    this.dataDir = mkdtempSync(join(tmpdir(), 'hilo-routes-'));
    const clock = new SystemClock();
    const logger = silentLogger();
    const settings = readSettings({ HILO_DATA_DIR: this.dataDir });
    const log = await openSealedEventStore(settings, clock, { program: 'test' });
    const readModel = await openReadModel(settings);
    const keys = SqliteApiKeys.open({ dataDir: ':memory:', clock });
    this.parts = {
      settings,
      logger,
      clock,
      log,
      bus: new EmbeddedInteractionBus({ capacity: settings.busCapacity }),
      readModel,
      deletedRows: [],
      progress: new ProjectionProgress(),
      keys,
      accounts: readAccountsFile(undefined, { adapters: channelAdapters(), env: {} }),
      rules: DEFAULT_RULES,
    };
    this.projector = new Projector(readModel, log.events);
    log.appended!.onAppended(() => void this.follow());
    await this.listen();

    for (const role of ROLES) this.keyOf[role] = (await keys.create({ tenant: 'acme', role })).key;
    this.seeing = (await keys.create({ tenant: 'acme', role: 'analyst', scopes: ['pii'] })).key;
    this.blindAgent = (await keys.create({ tenant: 'acme', role: 'agent', scopes: [] })).key;
    const elsewhere = (await keys.create({ tenant: 'globex', role: 'admin' })).key;
    await this.tell('acme', this.keyOf.admin, this.own);
    await this.tell('globex', elsewhere, this.foreign);
  }

  private async listen(): Promise<void> {
    const adapter = new FastifyAdapter({ ...httpOptions() });
    adapter.getInstance().addHook('onRoute', ({ method, url }) => {
      const methods = [method].flat();
      if (methods.length > 4) this.routes.add(`ALL ${url}`);
      else for (const one of methods) if (one !== 'HEAD') this.routes.add(`${one} ${url}`);
    });
    this.app = await NestFactory.create<NestFastifyApplication>(
      HubModule.register(this.parts, { edge: true }),
      adapter,
      { logger: false, bodyParser: false, abortOnError: false },
    );
    registerRawBody(adapter.getInstance());
    hardenHttp(this.app, () => false);
    serveDocs(this.app, this.parts.logger, () => false);
    await this.app.init();
    await adapter.getInstance().ready();
  }

  private async stop(): Promise<void> {
    await this.app.close();
    await this.parts.keys.close();
    await this.parts.readModel.close();
    await this.parts.log.close();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** Tells a tenant everything that the routes are asked about, with the key of an admin, and keeps the ids. */
  private async tell(tenant: string, key: string, of: Record<Kind, string>): Promise<void> {
    await this.tellPerson(key, of);
    await this.tellProposals(tenant, key, of);
    await this.tellErasures(key, of);
  }

  private async tellPerson(key: string, of: Record<Kind, string>): Promise<void> {
    const contact = {
      channel: 'email',
      account: 'care@acme.example',
      externalId: 'canary-msg-1',
      kind: 'message',
      threadId: 'canary-msg-1',
      occurredAt: '2025-03-02T09:15:00Z',
      customer: {
        identifiers: [
          { type: 'email', value: 'lucia.canary@example.com', verified: true },
          { type: 'phone', value: '+34600998877' },
        ],
        name: 'Lucía Canaria',
      },
      subject: 'parrot feather',
      text: 'a nest of straw',
    };
    const taken = json<IngestAnswer>(await this.ask('POST', '/v1/interactions', key, contact));
    await this.fold();
    of.receipt = of.interaction = taken.results[0]!.receipt!;
    const whole = json<InteractionDto>(await this.ask('GET', `/v1/interactions/${of.interaction}`, key));
    of.conversation = whole.conversation;
    of.customer = whole.customer;
    const write = (what: string, text: string) =>
      this.ask('POST', `/v1/conversations/${of.conversation}/${what}`, key, { text });
    const promise = async () => json<WrittenDownDto>(await write('commitments', 'a promised perch')).id;
    of.toKeep = await promise();
    of.toWithdraw = await promise();
    await write('notes', 'a promised perch, noted');
    const joined = { identities: PAIR, reason: 'both are hers' };
    of.link = json<{ link: string }>(await this.ask('POST', '/v1/links', key, joined)).link;
    const told = { purpose: 'marketing', granted: false, evidence: 'told parrot feather on the phone' };
    await this.ask('POST', `/v1/customers/${of.customer}/consents`, key, told);
  }

  private async tellProposals(tenant: string, key: string, of: Record<Kind, string>): Promise<void> {
    const others = ['one', 'two', 'three'].map((value) => ({ type: 'account', value }));
    const other = { ...CONTACT, externalId: 'o', customer: { identifiers: others } };
    const answer = json<IngestAnswer>(await this.ask('POST', '/v1/interactions', key, other));
    const [posted] = await this.parts.log.events.read(streamId('interaction', answer.results[0]!.receipt!));
    const [one, two, three] = (posted!.data as InteractionContent).identities.map(({ identity }) => identity);
    of.toConfirm = await this.propose(tenant, one!, two!);
    of.toReject = await this.propose(tenant, one!, three!);
  }

  /** What the rules do where they dare not link. */
  private async propose(tenant: string, ...ends: [Uuid, Uuid]): Promise<Uuid> {
    const { ids, events } = this.parts.log;
    const [a, b] = ends.toSorted() as [Uuid, Uuid];
    const link = ids.link(tenant, a, b);
    const data = { link, a, b, rule: 'rules-1', reason: 'conflicting-accounts', evidence: 'identify', confidence: 0.9 };
    const event = { id: randomUUID(), type: 'LinkProposed', schema: 2, tenant, data };
    await events.append(streamId('link', link), [event], 'no_stream');
    return link;
  }

  private async tellErasures(key: string, of: Record<Kind, string>): Promise<void> {
    const forgotten = ['gone', 'going'].map((value) => ({
      ...CONTACT,
      externalId: value,
      customer: { identifiers: [{ type: 'account', value }] },
    }));
    const { results } = json<IngestAnswer>(await this.ask('POST', '/v1/interactions', key, forgotten));
    await this.fold();
    const [gone, going] = await Promise.all(
      results.map(async ({ receipt }) =>
        json<InteractionDto>(await this.ask('GET', `/v1/interactions/${receipt!}`, key)),
      ),
    );
    of.toErase = going!.customer;
    const erased = await this.ask('POST', `/v1/customers/${gone!.customer}/erase`, key, { reason: 'art-17' });
    of.erasure = json<ErasureDto>(erased).erasure;
    await this.fold();
  }
}
