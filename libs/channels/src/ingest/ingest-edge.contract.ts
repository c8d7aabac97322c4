import { Module } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { InteractionBus, type BusConsumer, type BusMessage, type DeliveryOutcome } from '#libs/bus';
import { AccessModule } from '#libs/access/access.module.js';
import { httpOptions } from '#libs/access/http-options.js';
import { SqliteApiKeys } from '#libs/access/sqlite.api-keys.js';
import { Clock, FixedClock, IdFactory } from '#libs/kernel';
import { silentLogger } from '#libs/kernel/logging.js';
import { IngestModule } from './ingest.module.js';
import { registerRawBody } from './raw-body.js';

const recorded = ({ receipt }: BusMessage): DeliveryOutcome => ({ status: 'recorded', receipt, position: 7 });

/** Records everything, or what the test says. */
class StubBus extends InteractionBus {
  calls: (readonly BusMessage[])[] = [];
  answer = recorded as (message: BusMessage) => DeliveryOutcome;

  publish(messages: readonly BusMessage[]): Promise<DeliveryOutcome[]> {
    this.calls.push(messages);
    return new Promise((resolve) => resolve(messages.map((message) => this.answer(message))));
  }

  consume(): BusConsumer {
    return { stop: () => Promise.resolve() };
  }

  inFlight = () => 0;
  backlog = () => Promise.resolve(0);
  waitingFor = () => undefined;
  handledSoFar = () => Promise.resolve(true);
  close = () => Promise.resolve();
}

/** What the program gives to the edge. */
@Module({})
class Around {}

/** What the edge answers. */
export interface Answer {
  code?: string;
  detail?: string;
  results?: {
    index: number;
    status: string;
    error?: { code: string; detail: string; errors?: { path: string; message: string; allowed?: string }[] };
  }[];
  errors?: { path: string; message: string; allowed?: string }[];
}

/** A contact that is taken, unless told otherwise. */
export const good = (over: Record<string, unknown> = {}) => ({
  channel: 'email',
  account: 'care@acme.example',
  externalId: '<1@mail.example>',
  kind: 'message',
  occurredAt: '2025-03-02T10:15:29+01:00',
  ...over,
});

/** The edge over a bus that a test leads, on 2 March 2025 at 9:30 UTC, for as long as the tests of a file run. */
export class IngestEdge {
  readonly bus = new StubBus();
  readonly ids = new IdFactory(Buffer.alloc(32, 1));
  app!: NestFastifyApplication;
  agentKey!: string;
  private key!: string;

  constructor() {
    beforeAll(() => this.open());
    afterAll(() => this.app.close());
    beforeEach(() => {
      this.bus.calls = [];
      this.bus.answer = recorded;
    });
  }

  private async open(): Promise<void> {
    const clock = new FixedClock(Date.parse('2025-03-02T09:30:00.000Z'));
    const keys = SqliteApiKeys.open({ dataDir: ':memory:', clock });
    this.key = (await keys.create({ tenant: 'acme', role: 'integration' })).key;
    this.agentKey = (await keys.create({ tenant: 'acme', role: 'agent' })).key;
    const providers = [
      { provide: InteractionBus, useValue: this.bus },
      { provide: IdFactory, useValue: this.ids },
      { provide: Clock, useValue: clock },
    ];
    const around = { module: Around, providers, exports: [InteractionBus, IdFactory, Clock] };
    const module = await Test.createTestingModule({
      imports: [
        AccessModule.register({ keys, logger: silentLogger(), clock }),
        IngestModule.register({ imports: [around] }),
      ],
    }).compile();
    const adapter = new FastifyAdapter(httpOptions());
    this.app = module.createNestApplication<NestFastifyApplication>(adapter, { bodyParser: false, logger: false });
    registerRawBody(adapter.getInstance());
    await this.app.init();
    await adapter.getInstance().ready();
  }

  receiptOf = (externalId: string) => this.ids.interaction('acme', 'email', 'care@acme.example', externalId);

  post = (
    payload: string | Buffer | object,
    {
      type = 'application/json',
      url = '/v1/interactions',
      headers = {},
    }: { type?: string; url?: string; headers?: Record<string, string> } = {},
  ) =>
    this.app.inject({
      method: 'POST',
      url,
      headers: { authorization: `Bearer ${this.key}`, ...(type ? { 'content-type': type } : {}), ...headers },
      payload: typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
    });
}
