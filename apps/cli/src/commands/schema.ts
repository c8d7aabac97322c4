import { Command } from 'commander';
import { ensureApiKeysSchema } from '#libs/access/postgres.api-keys.js';
import { ensureOperationsSchema } from '#libs/event-store/postgres/operations-schema.js';
import type { SchemaReport } from '#libs/kernel/postgres-migrations.js';
import { ensureKeyVaultSchema } from '#libs/privacy/vault/postgres/postgres.key-vault.js';
import { checkReadModelUrl } from '#libs/projections/read-model/open-read-model.js';
import { ensureReadModelSchema } from '#libs/projections/read-model/postgres/postgres.read-model.js';
import { failure } from '../errors.js';
import { table } from '../format/table.js';
import { settingsFrom, type GlobalOptions } from '../open-data.js';

interface EnsureOptions extends GlobalOptions {
  json?: true;
}

export const schemaCommand = (): Command => {
  const schema = new Command('schema').description('the tables in PostgreSQL');
  schema
    .command('ensure')
    .description('make the schemas and tables that are missing')
    .option('--json', 'one line of JSON a schema')
    .addHelpText(
      'after',
      `
Reads HILO_READ_MODEL_URL (postgres://…). Makes what the read model, parked messages and delivery counts, the keys of
sealed content and the API keys need there; programs do the same when they start, if their role may. Commands that run
at once take turns. Nothing is ever deleted. Run it as the role of the programs: an erasure rewrites tables, which their
owner alone may.`,
    )
    .action((_options: unknown, command: Command) => ensure(command.optsWithGlobals<EnsureOptions>()));
  return schema;
};

/** Each room has a schema of its own. */
const ROOMS = [ensureReadModelSchema, ensureOperationsSchema, ensureKeyVaultSchema, ensureApiKeysSchema];

/** Makes what is missing in a database. */
export const ensureSchemas = async (url: string): Promise<SchemaReport[]> => {
  const reports: SchemaReport[] = [];
  for (const room of ROOMS) reports.push(await room(url));
  return reports;
};

const ensure = async (options: EnsureOptions): Promise<void> => {
  const { readModelUrl } = settingsFrom(options);
  checkReadModelUrl(readModelUrl);
  if (readModelUrl === 'sqlite:')
    throw failure('HILO_READ_MODEL_URL: sqlite: makes its tables itself; name a database, postgres://user:password@host/database'); // prettier-ignore
  const reports = await ensureSchemas(readModelUrl);
  process.stdout.write(
    options.json ? reports.map((report) => `${JSON.stringify(report)}\n`).join('') : tableOf(reports),
  );
};

const tableOf = (reports: readonly SchemaReport[]): string =>
  table(
    [{ title: 'schema' }, { title: '' }],
    reports.map(({ schema, taken }) => [schema, taken.length === 0 ? 'unchanged' : `made: ${taken.join(', ')}`]),
  );
