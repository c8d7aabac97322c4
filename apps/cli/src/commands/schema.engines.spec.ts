import { openPostgres } from '#libs/kernel/postgres.js';
import { cleanUp, hiloWith, temporaryDirectory } from '../../../../test/e2e/hub-process.js';
import { postgresForTests } from '../../../../test/engines/postgres/postgres-server.js';

jest.setTimeout(120_000);
const newAddress = postgresForTests();
afterAll(cleanUp);

const ensure = (url: string, ...words: string[]) =>
  hiloWith({ dataDir: temporaryDirectory(), env: { HILO_READ_MODEL_URL: url } }, 'schema', 'ensure', ...words);

describe('hilo schema ensure', () => {
  it('makes the tables of every room once, also when several ask at once', async () => {
    const url = newAddress();
    const runs = await Promise.all([ensure(url, '--json'), ensure(url, '--json')]);
    expect(runs.map(({ code, stderr }) => [code, stderr])).toEqual([
      [0, ''],
      [0, ''],
    ]);
    const reports = runs.map(({ stdout }) =>
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { schema: string; taken: string[] }),
    );
    const prefix = new URL(url).searchParams.get('schema')!;
    const schemas = reports[0]!.map(({ schema }) => schema);
    expect(schemas).toEqual([
      expect.stringMatching(/_read_model_\d+$/),
      ...['operations', 'keys', 'access'].map((room) => `${prefix}_${room}`),
    ]);
    // Each step was taken by one of the two.
    const steps = schemas.map((_, index) => reports.flatMap((report) => report[index]!.taken).toSorted());
    expect(steps).toEqual([['indexes', 'programs', 'tables'], ['installation', 'tables'], ['tables'], ['tables']]);

    const server = openPostgres({ url, schema: 'public', room: 'TEST', connections: 1 });
    const { rows } = await server.query<{ name: string }>(
      'SELECT table_name AS name FROM information_schema.tables WHERE starts_with(table_schema, $1)',
      [`${prefix}_`],
    );
    await server.end();
    expect(rows.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['entry', 'lease', 'parked', 'ledger', 'data_key', 'erased', 'api_keys']),
    );
    const again = await ensure(url);
    expect([again.code, again.stdout.match(/unchanged/g)?.length]).toEqual([0, 4]);
  });

  it('says what is wrong with the address, and never shows a password', async () => {
    expect(await ensure('sqlite:')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^hilo: HILO_READ_MODEL_URL: .*postgres:/) as unknown,
    });
    const away = await ensure('postgres://hub:not-to-be-shown@127.0.0.1:1/hub');
    expect(away).toMatchObject({
      code: 1,
      stderr: 'hilo: PostgreSQL at 127.0.0.1 cannot be reached (ECONNREFUSED)\n',
    });
  });
});
