import { Server, ServerCredentials, type sendUnaryData } from '@grpc/grpc-js';
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import gossipService from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import featuresService from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { ClusterInfo } from '@eventstore/db-client/generated/gossip_pb.js';
import type { SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb.js';
import { AllSubscriptions } from './all-subscriptions.js';
import { FakeLog } from './fake-log.js';
import { cancelled, Faults, notLeader } from './faults.js';
import { Relay } from './relay.js';
import { streamsService } from './streams-service.js';
import { readBatchAppend } from './wire-messages.js';

const HOST = '127.0.0.1';
const { FOLLOWER, LEADER } = gossip.MemberInfo.VNodeState;

interface FakeNode {
  server: Server;
  port: number;
  relay?: Relay;
  subscriptions: AllSubscriptions;
}

export interface FakeEventStoreDbOptions {
  /** Nodes over one log; the first leads. @default 1 */
  nodes?: number;
  /**
   * Whether connections go through a relay, which `freeze` and `cutConnections` need; a fake that is a process of its own is
   * frozen with it. @default true
   */
  relayed?: boolean;
  /** One event of somebody else after so many appends; 0 for none. @default 0 */
  foreignEvery?: number;
}

/**
 * A fake of EventStoreDB: its gRPC interface over a log in memory, for tests where no server can be had, with the faults
 * of real ones at hand. The README beside it lists what it does not do.
 */
export class FakeEventStoreDb {
  readonly log = new FakeLog();
  readonly faults = new Faults();
  /** Stream names of all appends that arrived, refused and repeated ones too. */
  readonly arrivedAppends: string[] = [];
  /** Calls that carried many appends. */
  batchCalls = 0;
  /** Servers before 21.6 do not. */
  takesBatches = true;
  private readonly nodes: FakeNode[] = [];
  private leader = 0;
  private electing = false;

  private constructor(private readonly foreignEvery: number) {}

  static async start({
    nodes = 1,
    foreignEvery = 0,
    relayed = true,
  }: FakeEventStoreDbOptions = {}): Promise<FakeEventStoreDb> {
    const fake = new FakeEventStoreDb(foreignEvery);
    for (let i = 0; i < nodes; i++) await fake.addNode(i, relayed);
    return fake;
  }

  /** Connection string of all nodes, or of one. */
  url(node?: number): string {
    const ports = this.nodes.map(({ port }) => port);
    const hosts = (node === undefined ? ports : [ports[node]!]).map((port) => `${HOST}:${port}`);
    return `esdb://${hosts.join(',')}?tls=false`;
  }

  electLeader(node: number): void {
    this.leader = node;
    this.electing = false;
  }

  /** Until a leader is elected no node can be found by those who look for one. */
  beginElection(): void {
    this.electing = true;
  }

  get openSubscriptions(): number {
    return this.nodes.reduce((sum, { subscriptions }) => sum + subscriptions.count, 0);
  }

  /** Where each subscription began, in the order in which they came. */
  get subscriptionStarts(): ('start' | 'end' | bigint)[] {
    return this.nodes.flatMap(({ subscriptions }) => subscriptions.starts);
  }

  endSubscriptions(): void {
    for (const { subscriptions } of this.nodes) subscriptions.end();
  }

  /** As when a server shuts down. @param most of each node, the oldest first */
  cancelSubscriptions(most?: number): void {
    for (const { subscriptions } of this.nodes) subscriptions.fail(cancelled(), most);
  }

  stallSubscriptions(): void {
    for (const { subscriptions } of this.nodes) subscriptions.stall();
  }

  freeze(): void {
    for (const { relay } of this.nodes) relay?.freeze();
  }

  thaw(): void {
    for (const { relay } of this.nodes) relay?.thaw();
  }

  cutConnections(): void {
    for (const { relay } of this.nodes) relay?.cut();
  }

  async stop(): Promise<void> {
    for (const { server, relay } of this.nodes) {
      server.forceShutdown();
      await relay?.close();
    }
  }

  private async addNode(index: number, relayed: boolean): Promise<void> {
    const subscriptions = new AllSubscriptions(this.log);
    const server = new Server({ 'grpc.max_receive_message_length': 17 * 1024 * 1024 });
    server.addService(
      WIRED,
      streamsService({
        log: this.log,
        faults: this.faults,
        subscriptions,
        leaderElsewhere: () => (index === this.leader ? undefined : notLeader(HOST, this.nodes[this.leader]!.port)),
        onAppend: (stream) => this.count(stream),
        onBatch: () => {
          this.batchCalls += 1;
          return this.takesBatches;
        },
      }),
    );
    server.addService(gossipService.GossipService, {
      read: (_call: unknown, reply: sendUnaryData<ClusterInfo>) => reply(null, this.members()),
    });
    server.addService(featuresService.ServerFeaturesService, {
      getSupportedMethods: (_call: unknown, reply: sendUnaryData<SupportedMethods>) => reply(null, supportedMethods()),
    });
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync(`${HOST}:0`, ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    const relay = relayed ? await Relay.to(port) : undefined;
    this.nodes.push({ server, port: relay?.port ?? port, subscriptions, ...(relay && { relay }) });
  }

  private count(stream: string): void {
    this.arrivedAppends.push(stream);
    if (this.foreignEvery > 0 && this.arrivedAppends.length % this.foreignEvery === 0)
      this.log.addForeign(this.arrivedAppends.length % 2 ? '$stats-127.0.0.1:2113' : 'somebodyelse-1');
  }

  private members(): ClusterInfo {
    const members = this.nodes.map(({ port }, i) =>
      new gossip.MemberInfo()
        .setState(i === this.leader ? LEADER : FOLLOWER)
        .setIsAlive(!this.electing)
        .setTimeStamp('0')
        .setHttpEndPoint(new gossip.EndPoint().setAddress(HOST).setPort(port)),
    );
    return new gossip.ClusterInfo().setMembersList(members);
  }
}

interface Message {
  serializeBinary(): Uint8Array;
}

const bytesOf = (message: Message | Buffer): Buffer =>
  Buffer.isBuffer(message) ? message : Buffer.from(message.serializeBinary());

/** The service, with messages that are read and written by hand where there are many of them. */
const WIRED = {
  ...streams.StreamsService,
  read: { ...streams.StreamsService.read, responseSerialize: bytesOf },
  batchAppend: {
    ...streams.StreamsService.batchAppend,
    requestDeserialize: readBatchAppend,
    responseSerialize: bytesOf,
  },
};

/** As a server says it. */
const supportedMethods = (): SupportedMethods =>
  new features.SupportedMethods()
    .setEventStoreServerVersion('24.10.0')
    .setMethodsList(
      ['append', 'batchappend', 'read'].map((method) =>
        new features.SupportedMethod().setServiceName('event_store.client.streams.Streams').setMethodName(method),
      ),
    );
