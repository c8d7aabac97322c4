/** A bound that a figure is held against: a value, or a multiple of the yardstick plus something. */
export interface Bound {
  ratio?: number;
  plus?: number;
  value?: number;
}

export interface Figure {
  title: string;
  unit: string;
  /** Which direction is good; absent for what is only told. */
  better?: 'more' | 'less';
  /** What the yardstick is, where there is one. */
  yardstick?: string;
  must?: Bound;
  aim?: Bound;
}

// What Emmett does on PostgreSQL on the machine that the bounds were set on; it is not measured here.
const EMMETT = 1140;

/** Everything that is measured, in the order of the report. */
export const FIGURES = {
  batches: {
    title: 'batches of 100, 8 connections, until visible',
    unit: 'events/s',
    better: 'more',
    yardstick: 'raw append',
    must: { ratio: 0.5 },
    aim: { ratio: 0.75 },
  },
  batchesAnswered: { title: '… until the last answer', unit: 'events/s', yardstick: 'raw append' },
  batchesLag: { title: '… from the last answer to visible', unit: 'ms' },
  batchesCpu: { title: '… processor time of the hub', unit: 'µs/event' },
  sealing: {
    title: 'batches, sealed',
    unit: 'events/s',
    better: 'more',
    yardstick: 'the same in clear',
    must: { ratio: 0.8 },
    aim: { ratio: 0.9 },
  },
  sealingPosts: {
    title: 'single posts, sealed',
    unit: 'posts/s',
    better: 'more',
    yardstick: 'the same in clear',
    must: { ratio: 0.8 },
    aim: { ratio: 0.9 },
  },
  looks: {
    title: 'pages over HTTP, who looked written down',
    unit: 'pages/s',
    better: 'more',
    yardstick: 'the same, not written down',
    must: { ratio: 0.95 },
    aim: { ratio: 0.98 },
  },
  posts: {
    title: 'single posts, 64 connections, visible',
    unit: 'posts/s',
    better: 'more',
    yardstick: 'bare Fastify',
    must: { ratio: 0.25 },
    aim: { ratio: 0.25 },
  },
  postsPeer: {
    title: '… against Emmett on PostgreSQL (constant)',
    unit: 'posts/s',
    better: 'more',
    must: { value: 5 * EMMETT },
    aim: { value: 7 * EMMETT },
  },
  postsNest: { title: '… against Nest + ValidationPipe', unit: 'posts/s', yardstick: 'Nest, doing nothing' },
  inTurn: {
    title: 'one connection, one post at a time',
    unit: 'posts/s',
    better: 'more',
    yardstick: 'fdatasync',
    must: { ratio: 0.3 },
    aim: { ratio: 0.4 },
  },
  visible: {
    title: 'POST to visible at 1,000/s, p99',
    unit: 'ms',
    better: 'less',
    must: { value: 50 },
    aim: { value: 15 },
  },
  visibleMedian: { title: '… p50', unit: 'ms' },
  page: {
    title: 'timeline page of 50 in process, p99',
    unit: 'ms',
    better: 'less',
    yardstick: 'raw page, p99',
    must: { ratio: 3 },
    aim: { ratio: 3 },
  },
  pageMedian: { title: '… p50', unit: 'ms', yardstick: 'raw page, p50' },
  pagePast: {
    title: 'page of 10,000 entries as of an earlier position, p95',
    unit: 'ms',
    better: 'less',
    yardstick: 'present page, p95',
    must: { ratio: 5 },
    aim: { ratio: 3 },
  },
  pageHttp: { title: '… over HTTP, idle, p99', unit: 'ms', better: 'less', must: { value: 6 }, aim: { value: 4 } },
  pageBusy: {
    title: '… over HTTP, during 1,000 posts/s, p99',
    unit: 'ms',
    better: 'less',
    must: { value: 10 },
    aim: { value: 5 },
  },
  rebuild: {
    title: 'rebuild of the read model',
    unit: 'events/s',
    better: 'more',
    yardstick: 'wide-table fold',
    must: { ratio: 0.5 },
    aim: { ratio: 0.8 },
  },
  export: {
    title: 'export to NDJSON',
    unit: 'events/s',
    better: 'more',
    yardstick: 'raw export',
    must: { ratio: 0.4 },
    aim: { ratio: 0.6 },
  },
  memoryIngest: {
    title: 'memory, peak of ingest',
    unit: 'MB',
    better: 'less',
    must: { value: 256 },
    aim: { value: 180 },
  },
  memoryIdle: {
    title: 'memory, at rest after start',
    unit: 'MB',
    better: 'less',
    must: { value: 130 },
    aim: { value: 110 },
  },
  memoryRebuild: {
    title: 'memory added by rebuild',
    unit: 'MB',
    better: 'less',
    must: { value: 100 },
    aim: { value: 100 },
  },
  memoryGrowth: {
    title: '… against a tenth of the events',
    unit: 'MB',
    better: 'less',
    yardstick: 'a tenth',
    // Two measurements of the same thing differ by some MB.
    must: { ratio: 1, plus: 15 },
    aim: { ratio: 1, plus: 15 },
  },
  start: {
    title: 'start to ready',
    unit: 'ms',
    better: 'less',
    yardstick: 'empty Nest + Fastify',
    must: { ratio: 1.5, plus: 300 },
    aim: { ratio: 1.2 },
  },
  disk: {
    title: 'disk per event, all files',
    unit: 'bytes',
    better: 'less',
    yardstick: 'payload',
    must: { ratio: 2 },
    aim: { ratio: 1.5 },
  },
  kafkaPublish: {
    title: 'publish to Kafka, batches of 100, 8 at a time',
    unit: 'messages/s',
    better: 'more',
    yardstick: 'kafkajs producer',
    must: { ratio: 0.6 },
    aim: { ratio: 0.8 },
  },
  kafkaConsume: {
    title: 'consume from Kafka, opened, in order, committed',
    unit: 'messages/s',
    yardstick: 'kafkajs consumer',
  },
  line: {
    title: 'recorders and projector, from the first contact to the last one shown (event store: fake)',
    unit: 'contacts/s',
    better: 'more',
    must: { value: 5000 },
  },
  lineEvents: {
    title: '… events of the log, with those that follow from the contacts',
    unit: 'events/s',
    better: 'more',
    must: { value: 5000 },
  },
  lineRecorded: { title: '… until the last is recorded', unit: 'contacts/s' },
  lineRecorderCpu: { title: '… processor time of the recorders', unit: 'µs/contact' },
  lineProjectorCpu: { title: '… processor time of the projector', unit: 'µs/contact' },
  lineHub: {
    title: 'one hub, contacts on Kafka to PostgreSQL, first recorded to last shown (event store: its own, in SQLite)',
    unit: 'contacts/s',
    better: 'more',
    must: { value: 5000 },
  },
  lineHubEvents: {
    title: '… events of the log, with those that follow from the contacts',
    unit: 'events/s',
    better: 'more',
    must: { value: 5000 },
  },
  lineHubRecorded: { title: '… until the last is recorded', unit: 'contacts/s' },
  lineHubCpu: { title: '… processor time of the hub', unit: 'µs/contact' },
  lineHubMainCpu: { title: '… of which its main thread', unit: 'µs/contact' },
  lineHubOthersCpu: { title: '… processor time of all else: Kafka, PostgreSQL, looks', unit: 'µs/contact' },
  rebuildPostgres: {
    title: 'rebuild into PostgreSQL (event store: embedded)',
    unit: 'events/s',
    better: 'more',
    must: { value: 15_000 },
  },
  rebuildLine: { title: 'rebuild of the line into PostgreSQL (event store: fake)', unit: 'events/s' },
  install: { title: 'npm ci', unit: 's', better: 'less', must: { value: 300 }, aim: { value: 45 } },
  scan: { title: 'scan + JSON.parse', unit: 'events/s' },
  sync: { title: 'fdatasync', unit: '/s' },
  json: { title: 'JSON rate, parse + stringify', unit: '/s' },
} as const satisfies Record<string, Figure>;

export type FigureName = keyof typeof FIGURES;
