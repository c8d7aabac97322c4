import { HubProcess, cleanUp, temporaryDirectory } from '../e2e/hub-process.js';
import { queries } from './files.js';
import { metricsIn } from './promql.js';

jest.setTimeout(120_000);
afterAll(cleanUp);

/** Prometheus makes it itself, for whatever it asks. */
const OF_PROMETHEUS = ['up'];

it('dashboards and alerts name only metrics that a running hub has', async () => {
  const hub = await HubProcess.start({ dataDir: temporaryDirectory() });
  const { text } = await (await hub.client({ key: undefined })).get('/metrics');
  const families = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name, type]) =>
    type === 'histogram' || type === 'summary' ? [name!, `${name}_sum`, `${name}_count`, `${name}_bucket`] : [name!],
  );
  const known = new Set([...families, ...OF_PROMETHEUS]);
  const named = new Set(queries().flatMap(([, query]) => metricsIn(query) ?? []));
  expect(named.size).toBeGreaterThan(10);
  expect([...named].filter((name) => !known.has(name))).toEqual([]);
  const own = families.filter((name) => name.startsWith('hilo_'));
  expect(own.filter((name) => !named.has(name))).toEqual([]);
});
