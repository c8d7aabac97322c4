import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { DataDirectory } from '#libs/event-store/data-directory.js';
import { LIMITS } from '#libs/kernel';
import { type HubSettings } from '#libs/kernel/settings.js';
import { failure, interrupted, usageError } from '../errors.js';
import { grouped, perSecond, table } from '../format/table.js';
import { OUTCOMES, ImportStateFile, totalOf } from '../import/import-state.js';
import type { ContactSink } from '../import/contact-sink.js';
import type { ImportReport } from '../import/import-files.js';
import { interruptSignal } from '../interrupt.js';
import { ownerText, settingsFrom, type GlobalOptions } from '../open-data.js';
import { wholeOption } from '../options.js';
import { startProgress } from '../progress.js';

interface ImportOptions extends GlobalOptions {
  tenant: string;
  profiles?: true;
  defaultCountry?: string;
  batch: string;
  rejects?: string;
  restart?: true;
  url?: string;
  key?: string;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

export const importCommand = (): Command =>
  new Command('import')
    .description('bring contacts or customer records in, from NDJSON files, gzip or not')
    .argument('<file...>', 'one item a line, as POST /v1/interactions takes it; receivedAt may be given')
    .requiredOption('--tenant <tenant>', 'whose contacts they are')
    .option('--profiles', 'the lines are customer records, as POST /v1/profiles takes them')
    .option('--default-country <code>', 'country of phone numbers in national form, for example US')
    .option('--batch <lines>', `lines handed over at once, 1 to ${LIMITS.batchItems}`, '500')
    .option('--rejects <file>', 'where lines go that are not taken (default: FILE.rejects.ndjson)')
    .option('--restart', 'begin anew instead of going on where an import of the same file was stopped')
    .option('--url <url>', 'import through the API of this hub instead of into the data directory')
    .option('--key <key>', 'API key of role integration or admin for a running hub (or HILO_API_KEY)')
    .addHelpText(
      'after',
      '\nExit code: 0 when no line was rejected, 1 otherwise, 130 after Ctrl-C. The same command goes on where it stopped.',
    )
    .action(async (files: string[], _options: unknown, command: Command) => {
      process.exitCode = await run(files, command.optsWithGlobals<ImportOptions>());
    });

const run = async (files: readonly string[], options: ImportOptions): Promise<number> => {
  const batch = wholeOption('--batch', options.batch, 1, LIMITS.batchItems);
  checkFiles(files, options.rejects);
  const settings = settingsFrom(options, { HILO_DEFAULT_COUNTRY: options.defaultCountry });
  const signal = interruptSignal();
  const target = targetOf(settings, options);
  const stateDirectory = options.url === undefined ? resolve(settings.dataDir) : dirname(resolve(files[0]!));
  const plan = files.map((file) => ({
    file,
    state: new ImportStateFile(stateDirectory, {
      file,
      tenant: options.tenant,
      profiles: options.profiles ?? false,
      target: options.url ?? '',
    }),
  }));
  if (options.restart) for (const { state } of plan) state.remove();

  const { importFiles } = await import('../import/import-files.js');
  const sink = await openSink(settings, options, target, batch, signal);
  const progress = startProgress('import');
  let report: ImportReport;
  try {
    report = await importFiles({
      files: plan,
      sink,
      batch,
      ...(options.rejects !== undefined && { rejects: options.rejects }),
      progress,
      signal,
      say,
    });
  } finally {
    progress.stop();
    await sink.close();
  }
  process.stdout.write(summary(report));
  if (signal.aborted)
    throw interrupted('everything is recorded; the timelines show the rest when the hub runs the next time');
  if (report.counts.parked > 0) say(`${grouped(report.counts.parked)} were parked: see hilo parked list`);
  for (const file of report.rejectsFiles) say(`rejected lines are in ${file}`);
  return report.counts.rejected > 0 ? 1 : 0;
};

const checkFiles = (files: readonly string[], rejects: string | undefined): void => {
  const seen = new Set<string>();
  for (const file of files) {
    if (!existsSync(file)) throw usageError(file, 'there is no such file', 'name an NDJSON file');
    if (!statSync(file).isFile()) throw usageError(file, 'is no file', 'name an NDJSON file');
    if (seen.has(resolve(file))) throw usageError(file, 'is named twice', 'name it once');
    seen.add(resolve(file));
  }
  if (rejects !== undefined && seen.has(resolve(rejects)))
    throw usageError('--rejects', 'is one of the input files', 'name another file');
};

/** The hub to post to; undefined: the data directory itself. */
const targetOf = (settings: HubSettings, { url }: ImportOptions): string | undefined => {
  if (url !== undefined) {
    if (!URL.canParse(url) || !/^https?:/.test(url))
      throw usageError('--url', `"${url}" is no address`, 'write for example http://localhost:3000');
    return url;
  }
  const owner = DataDirectory.owner(settings.dataDir);
  if (!owner) return undefined;
  const place = resolve(settings.dataDir);
  if (owner.url === undefined)
    throw failure(`${place} is in use by ${ownerText(owner)}, which takes no requests; wait until it has ended`);
  say(`${place} is in use by ${ownerText(owner)}: importing through its API`);
  return owner.url;
};

const openSink = async (
  settings: HubSettings,
  options: ImportOptions,
  target: string | undefined,
  batch: number,
  signal: AbortSignal,
): Promise<ContactSink> => {
  const profiles = options.profiles ?? false;
  if (target !== undefined) {
    const { HubSink } = await import('../import/hub.sink.js');
    return new HubSink(target, { key: await keyFor(settings, options), profiles, signal });
  }
  mkdirSync(settings.dataDir, { recursive: true, mode: 0o700 });
  const [{ DirectorySink }, inbound] = await Promise.all([
    import('../import/directory.sink.js'),
    import('#libs/channels/ingest/inbound.js'),
  ]);
  const intake = profiles ? inbound.profiles : inbound.interactions;
  return DirectorySink.open(settings, { intake, tenant: options.tenant, batch, signal });
};

const keyFor = async (settings: HubSettings, { key, tenant, url }: ImportOptions): Promise<string> => {
  const given = key ?? process.env.HILO_API_KEY;
  if (given !== undefined) {
    if (url === undefined) await requireKeyOf(settings, given, tenant);
    return given;
  }
  const known = url === undefined ? firstKeysOf(settings)[tenant] : undefined;
  const found = known?.integration ?? known?.admin;
  if (found !== undefined) return found;
  throw usageError(
    '--key',
    `an API key for the tenant ${tenant} is needed`,
    `make one with hilo api-keys create --tenant ${tenant} --role integration`,
  );
};

const firstKeysOf = ({ dataDir }: HubSettings): Record<string, Record<string, string> | undefined> => {
  try {
    return JSON.parse(readFileSync(join(dataDir, 'api-keys.json'), 'utf8')) as Record<string, Record<string, string>>;
  } catch {
    return {};
  }
};

/** The hub would take the lines for the tenant of the key, whatever `--tenant` says. */
const requireKeyOf = async ({ dataDir }: HubSettings, key: string, tenant: string): Promise<void> => {
  const [{ SqliteApiKeys }, { SystemClock }] = await Promise.all([
    import('#libs/access/sqlite.api-keys.js'),
    import('#libs/kernel'),
  ]);
  const keys = SqliteApiKeys.open({ dataDir, clock: new SystemClock() });
  try {
    const caller = await keys.verify(key);
    if (!caller) throw usageError('--key', 'is not a valid key of this hub', 'make one with hilo api-keys create');
    if (caller.tenant !== tenant)
      throw usageError('--key', `belongs to the tenant ${caller.tenant}`, `give one of the tenant ${tenant}`);
  } finally {
    await keys.close();
  }
};

const summary = ({ counts, items, elapsedMs }: ImportReport): string => {
  const rows = OUTCOMES.filter((outcome) => outcome !== 'accepted' || counts.accepted > 0).map((outcome) => [
    outcome,
    grouped(counts[outcome]),
  ]);
  const all = table(
    [{ title: 'outcome' }, { title: 'lines', align: 'right' }],
    [...rows, ['all', grouped(totalOf(counts))]],
  );
  return `${all}${grouped(items)} lines in ${(elapsedMs / 1000).toFixed(1)} s, ${perSecond(items, elapsedMs)}/s\n`;
};
