import { HubProcess, cleanUp, temporaryDirectory } from '../e2e/hub-process.js';
import { exposedMetrics } from './exposed-metrics.js';
import { queries } from './files.js';
import { metricsIn } from './promql.js';

jest.setTimeout(120_000);
afterAll(cleanUp);

// Those that the programs have besides: test/engines/cluster/observed.engines.spec.ts.
const OF_PROGRAMS = /^(up|hilo_(projector|recorder|event_store)_\w+)$/;

it('dashboards and alerts name only metrics that a running hub has, or the programs', async () => {
  const hub = await HubProcess.start({ dataDir: temporaryDirectory() });
  const { text } = await (await hub.client({ key: undefined })).get('/metrics');
  const known = new Set(exposedMetrics(text));
  const named = new Set(queries().flatMap(([, query]) => metricsIn(query) ?? []));
  expect(named.size).toBeGreaterThan(10);
  expect([...named].filter((name) => !known.has(name) && !OF_PROGRAMS.test(name))).toEqual([]);
});
