/** What each room may import besides itself, the kernel and packages (the arrows of the pipeline; CONTRIBUTING.md). */
const OPEN = {
  kernel: [],
  bus: [],
  domain: [],
  // The trail of who looked at whom is made of events.
  access: ['event-store', 'domain'],
  'event-store': [],
  channels: ['bus', 'access'],
  // What people command comes over HTTP, by whoever the credential says they are.
  // Whoever is erased has their keys destroyed.
  commands: ['domain', 'event-store', 'bus', 'access', 'privacy'],
  projections: ['domain', 'event-store'],
  queries: ['projections', 'access', 'event-store', 'domain', 'privacy'],
  history: ['event-store', 'access', 'privacy'],
  // It stands before the event store, and seals what the domain declares personal.
  privacy: ['domain', 'event-store'],
};

// Tests and what they share meet every room.
const TESTS = ['\\.(spec|contract)\\.ts$', '^libs/testing/'];
// Engines: folders and files behind a port, `sqlite/…` and `sqlite.api-keys.ts`.
const ENGINES = '(sqlite|memory|embedded|kafka|eventstoredb|postgres)[./]';

const room = ([name, open]) => ({
  name: `${name}-imports`,
  comment: `libs/${name} may import ${['itself', 'the kernel', ...open].join(', ')}`,
  severity: 'error',
  from: { path: `^libs/${name}/`, pathNot: TESTS },
  to: { path: '^(libs|dist)/', pathNot: `^libs/(${['kernel', name, ...open].join('|')})/` },
});

module.exports = {
  forbidden: [
    ...Object.entries(OPEN).map(room),
    {
      name: 'room-without-rule',
      comment: 'a new room states in .dependency-cruiser.cjs what it may import',
      severity: 'error',
      from: { path: '^libs/', pathNot: [`^libs/(${Object.keys(OPEN).join('|')})/`, ...TESTS] },
      to: { path: '^libs/', pathNot: '^libs/kernel/' },
    },
    {
      name: 'domain-is-pure',
      comment: 'the domain asks no framework, engine or network',
      severity: 'error',
      from: { path: '^libs/domain/', pathNot: TESTS },
      to: {
        path: [
          'node_modules/(@nestjs|fastify|kysely|libsql|pino|rxjs)',
          '^node:(fs|net|http|child_process|worker_threads)',
        ],
      },
    },
    {
      name: 'channels-see-parked-messages-only',
      comment: 'an edge parks what it cannot hand over; of the event store it sees no more than that port',
      severity: 'error',
      from: { path: '^libs/channels/', pathNot: TESTS },
      to: { path: '^libs/event-store/', pathNot: '^libs/event-store/src/parked/parked-messages\\.port\\.ts$' },
    },
    {
      name: 'libs-see-no-apps',
      comment: 'apps wire rooms; rooms know of no program',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^apps/' },
    },
    {
      name: 'engines-stay-home',
      comment: 'an engine is imported by its own room and by the programs that choose it',
      severity: 'error',
      from: { path: '^libs/([^/]+)/', pathNot: TESTS },
      to: { path: `^libs/.+/${ENGINES}`, pathNot: ['^libs/kernel/', '^libs/$1/'] },
    },
    {
      name: 'index-hides-engines',
      comment: 'index.ts exports ports; engines are reached by module path',
      severity: 'error',
      from: { path: '^libs/[^/]+/src/index\\.ts$' },
      to: { path: `/${ENGINES}` },
    },
    {
      name: 'tests-stay-out',
      comment: 'what runs in production imports no test, contract or test helper',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: TESTS },
      to: { path: ['\\.(spec|contract)\\.ts$', '^libs/testing/'] },
    },
    {
      name: 'opentelemetry-loads-late',
      comment: 'only a program whose traces somebody collects pays for it',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: ['^libs/kernel/src/tracing/opentelemetry\\.tracing\\.ts$', ...TESTS] },
      to: { path: 'node_modules/@opentelemetry/' },
    },
    {
      name: 'opentelemetry-is-imported-late',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: TESTS },
      to: { path: '^libs/kernel/src/tracing/opentelemetry\\.tracing\\.ts$', dynamic: false },
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: { pathNot: TESTS },
      to: { circular: true, viaOnly: { pathNot: TESTS } },
    },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['^dist/', '^apps/console/'] },
    tsPreCompilationDeps: true,
    webpackConfig: { fileName: '.dependency-cruiser.resolve.cjs' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
