import { HubProcess, cleanUp, temporaryDirectory } from '../e2e/hub-process.js';
import { queries } from './files.js';
import { familiesIn, metricsIn } from './promql.js';

jest.setTimeout(120_000);
afterAll(cleanUp);

/** Prometheus makes it itself, for whatever it asks. */
const OF_PROMETHEUS = ['up'];

/** Of the programs of a cluster alone; `test/engines/cluster` meets those. */
const OF_PROGRAMS = /^hilo_(projector|event_store)_/;

it('dashboards and alerts name only metrics that a running hub has', async () => {
  const hub = await HubProcess.start({ dataDir: temporaryDirectory() });
  const { text } = await (await hub.client({ key: undefined })).get('/metrics');
  const families = familiesIn(text);
  const known = new Set([...families, ...OF_PROMETHEUS]);
  const named = new Set(queries().flatMap(([, query]) => metricsIn(query) ?? []));
  expect(named.size).toBeGreaterThan(10);
  expect([...named].filter((name) => !known.has(name) && !OF_PROGRAMS.test(name))).toEqual([]);
  const own = families.filter((name) => name.startsWith('hilo_'));
  // Of what takes time one of its series is enough.
  const base = (name: string): string => name.replace(/_seconds_(sum|count|bucket)$/, '_seconds');
  const shown = new Set([...named].map(base));
  expect(own.filter((name) => !shown.has(base(name)))).toEqual([]);
});
