import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { Script } from 'node:vm';
import { Ajv } from 'ajv';
import { queries, readYaml, settingNames } from './files.js';
import { metricsIn } from './promql.js';

interface Service {
  image: string;
  command?: string[];
  entrypoint?: string[];
  environment?: Record<string, string>;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  mem_limit?: string;
  pids_limit?: number;
  healthcheck?: { test?: string[]; disable?: boolean };
  restart?: string;
  networks: string[];
  ports?: string[];
}
interface Compose {
  services: Record<string, Service>;
}

const CHART = 'deploy/helm/hilo';
const compose = readYaml('deploy/compose.yaml') as Compose;
const services = Object.entries(compose.services);
const ours = services.filter(([, { image }]) => image.startsWith('${HILO_IMAGE'));
/** Where a program is compiled from. */
const sourceOf = (program: string): string => program.replace(/^dist\//, '').replace(/\.js$/, '.ts');

describe('the image', () => {
  const lines = readFileSync('deploy/Dockerfile', 'utf8').replaceAll('\\\n', ' ').split('\n');
  const instructions = (name: string) => lines.filter((line) => line.startsWith(`${name} `));
  const copied = instructions('COPY')
    .filter((line) => !line.includes('--from='))
    .flatMap((line) => line.split(' ').slice(1, -1));

  it('copies what is there, and what its ignore file lets through', () => {
    const allowed = readFileSync('deploy/Dockerfile.dockerignore', 'utf8').split('\n');
    expect(allowed[0]).toBe('*');
    expect(copied).toEqual(expect.arrayContaining(['package.json', 'package-lock.json', 'apps', 'libs', '.swcrc']));
    for (const path of copied) {
      expect([path, existsSync(path)]).toEqual([path, true]);
      expect(allowed).toContain(`!${path}`);
    }
  });

  it('runs a program that exists, as nobody in particular, straight under node', () => {
    const command = JSON.parse(instructions('CMD')[0]!.slice(4)) as string[];
    expect(existsSync(sourceOf(command[0]!))).toBe(true);
    expect(instructions('ENTRYPOINT')).toEqual(['ENTRYPOINT ["node"]']);
    expect(instructions('USER')).toEqual(['USER 10001:10001']);
    const base = /^ARG NODE_IMAGE=node:(\d+)\.\d+\.\d+-/.exec(instructions('ARG')[0]!);
    // Lines in long-term support (security-checklist 10.5).
    expect([22, 24]).toContain(Number(base?.[1]));
  });

  it('asks its own health by a script that runs', () => {
    const check = JSON.parse(/CMD (\[.*\])$/.exec(instructions('HEALTHCHECK')[0]!)![1]!) as string[];
    expect(check.slice(0, 2)).toEqual(['node', '-e']);
    expect(() => new Script(check[2]!)).not.toThrow();
  });
});

describe('compose.yaml', () => {
  it('runs the four programs, their preparation and the command line', () => {
    const commands = ours.map(([, { command = [], entrypoint = [] }]) => [...entrypoint.slice(1), ...command][0]!);
    for (const program of ['ingest', 'recorder', 'projector', 'timeline-api'])
      expect(commands).toContain(`dist/apps/${program}/src/main.js`);
    for (const command of commands) expect([command, existsSync(sourceOf(command))]).toEqual([command, true]);
  });

  it('sets nothing that no program reads', () => {
    const known = settingNames();
    const set = ours.flatMap(([, { environment = {} }]) => Object.keys(environment));
    expect(set.filter((name) => name.startsWith('HILO_') && !known.has(name))).toEqual([]);
    expect(set.length).toBeGreaterThan(20);
  });

  it('asks for what .env.example explains, and for nothing else', () => {
    const text = readFileSync('deploy/compose.yaml', 'utf8');
    const asked = new Set(text.match(/(?<=\$\{)[A-Z_]+/g));
    const explained = readFileSync('deploy/.env.example', 'utf8').match(/^[A-Z_]+(?==)/gm)!;
    expect(explained.toSorted()).toEqual([...asked].toSorted());
    // A password that is missing stops the start; it is not made up.
    for (const secret of ['HILO_MASTER_KEY', 'HILO_PEPPER', 'POSTGRES_PASSWORD', 'GRAFANA_PASSWORD'])
      expect(text.match(new RegExp(String.raw`\$\{${secret}[:-]?[^?}]*\}`))).toBeNull();
  });

  it.each(services)('keeps %s in bounds', (_name, service) => {
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toContain('no-new-privileges:true');
    expect(service.mem_limit).toMatch(/^\d+[mg]$/);
    expect(service.pids_limit).toBeGreaterThan(0);
    expect(service.image).toMatch(/:v?\d+\.\d+(\.\d+)?(-\w+)?\}?$/);
  });

  it.each(ours)('lets %s write nothing but its scratch', (_name, service) => {
    expect(service.read_only).toBe(true);
    // The image asks a program that goes on running.
    expect(service.healthcheck).toEqual(service.restart === 'no' ? { disable: true } : undefined);
  });

  it('opens doors on this machine alone, and none of an engine', () => {
    for (const port of services.flatMap(([, { ports = [] }]) => ports)) expect(port).toMatch(/^127\.0\.0\.1:/);
    for (const engine of ['kafka', 'kurrentdb', 'postgres'])
      expect(compose.services[engine]).toMatchObject({
        networks: ['engines'],
        healthcheck: { test: expect.arrayContaining(['CMD']) as string[] },
      });
  });
});

describe('the chart', () => {
  type Values = Record<string, unknown>;
  const schema = JSON.parse(readFileSync(`${CHART}/values.schema.json`, 'utf8')) as {
    properties: {
      secrets: { properties: { keys: { items: { enum: string[] } } } };
      settings: { propertyNames: { anyOf: [{ enum: string[] }] } };
    };
  };
  const isValid = new Ajv({ strict: false }).compile(schema);
  const defaults = () => readYaml(`${CHART}/values.yaml`) as Values;

  it('has values that its schema takes', () => {
    expect([isValid(defaults()), isValid.errors]).toEqual([true, null]);
  });

  it.each([
    ['an unknown program', (values: Values) => (values.ingress2 = {})],
    ['an unknown setting', (values: Values) => ((values.settings as Values).HILO_BUSURL = 'x')],
    ['a secret among the settings', (values: Values) => ((values.settings as Values).HILO_MASTER_KEY = 'x')],
    ['a bus inside one program', (values: Values) => ((values.settings as Values).HILO_BUS_URL = 'embedded:')],
    ['no copies', (values: Values) => ((values.projector as Values).replicas = 0)],
    [
      'memory without a limit',
      (values: Values) => ((values.recorder as Values).resources = { requests: {}, limits: {} }),
    ],
  ])('refuses %s', (_what, spoil) => {
    const values = defaults();
    spoil(values);
    expect(isValid(values)).toBe(false);
  });

  it('offers every setting, once: as a setting, as a secret, or set by the chart itself', () => {
    const { secrets, settings } = schema.properties;
    const templates = readdirSync(`${CHART}/templates`).map((file) =>
      readFileSync(`${CHART}/templates/${file}`, 'utf8'),
    );
    const set = new Set(templates.join('').match(/(?<=name: )HILO_[A-Z_]+/g));
    // Of the image, for every way to run it.
    const image = readFileSync('deploy/Dockerfile', 'utf8').match(/HILO_[A-Z_]+(?==)/g)!;
    const offered = [...secrets.properties.keys.items.enum, ...settings.propertyNames.anyOf[0].enum, ...set, ...image];
    expect(offered.toSorted()).toEqual([...settingNames()].toSorted());
  });
});

describe('dashboards and alerts', () => {
  it.each(queries())('ask what Prometheus understands: %s', (_place, query) => {
    expect(metricsIn(query)?.length).toBeGreaterThan(0);
  });

  it('would be told from what it does not', () => {
    expect(metricsIn('sum(rate(hilo_bus_in_flight[5m])')).toBeUndefined();
    expect(metricsIn('sum by (a) (up{job="x"}) / max(hilo_b)')).toEqual(['up', 'hilo_b']);
  });
});
