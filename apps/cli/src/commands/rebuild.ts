import { Command } from 'commander';
import { DataDirectory } from '#libs/event-store/data-directory.js';
import { codeOf } from '#libs/kernel';
import { type HubSettings } from '#libs/kernel/settings.js';
import { Projector, type EventLog } from '#libs/projections/projector/projector.js';
import { checkReadModelUrl, openReadModel, openReadModelHome } from '#libs/projections/read-model/open-read-model.js';
import { rebuild } from '#libs/projections/rebuild/rebuild.js';
import { tableDigests, type TableDigest, type TableDigestsOptions } from '#libs/projections/rebuild/table-digests.js';
import { failure, interrupted } from '../errors.js';
import { grouped, perSecond, table } from '../format/table.js';
import { interruptSignal } from '../interrupt.js';
import { readByThread } from '../log-thread.js';
import { openLog, requireData, settingsFrom, type GlobalOptions } from '../open-data.js';
import { startProgress } from '../progress.js';

interface RebuildOptions extends GlobalOptions {
  verify?: true;
}

export const rebuildCommand = (): Command =>
  new Command('rebuild')
    .description('fold the timelines anew from the first event, and put them in the place of the old ones')
    .option('--verify', 'compare every table with the old timelines at the same position')
    .addHelpText(
      'after',
      '\nNeeds the data directory alone. After Ctrl-C the same command goes on; the old timelines stay until the end.',
    )
    .action((_options: unknown, command: Command) => run(command.optsWithGlobals<RebuildOptions>()));

const run = async (options: RebuildOptions): Promise<void> => {
  const settings = settingsFrom(options);
  checkReadModelUrl(settings.readModelUrl);
  requireData(settings);
  const directory = DataDirectory.claim(settings.dataDir, { program: 'hilo rebuild' });
  const log = await openLog(settings);
  try {
    const before = options.verify ? await oldDigests(settings, log) : undefined;
    await foldAnew(settings, log);
    const after = await digestsOf(settings);
    process.stdout.write(report(after, before));
    if (before && differing(after, before).length > 0)
      throw failure(
        `the old timelines differed from the log in ${differing(after, before).join(', ')}; the new ones are in place`,
      );
  } finally {
    await log.close();
    directory.release();
  }
};

const foldAnew = async (settings: HubSettings, log: EventLog): Promise<void> => {
  const progress = startProgress('rebuild');
  const startedMs = Date.now();
  let first: number | undefined;
  try {
    const position = await rebuild({
      home: await openReadModelHome(settings),
      log,
      readAll: (all) => readByThread(settings, all),
      signal: interruptSignal(),
      report: (place, head) => {
        first ??= place;
        progress.update(place, head, `${grouped(place)} of ${grouped(head)} events`);
      },
    });
    progress.stop();
    if (position === undefined)
      throw interrupted('stopped; the same command goes on, and the old timelines are untouched');
    const ms = Date.now() - startedMs;
    process.stderr.write(
      `the timelines show position ${position}; ${(ms / 1000).toFixed(1)} s, ${perSecond(position, ms)} events/s\n`,
    );
  } finally {
    progress.stop();
  }
};

/** What the old timelines hold once they have caught up; undefined where there is nothing to compare with. */
export const oldDigests = async (
  settings: HubSettings,
  log: EventLog,
  options: TableDigestsOptions = {},
): Promise<TableDigest[] | undefined> => {
  const home = await openReadModelHome(settings);
  if (!(await home.exists())) return undefined;
  const old = await home.open();
  try {
    await new Projector(old, log).catchUp();
    return await tableDigests(old, options);
  } catch (error) {
    const why = INCOMPARABLE[codeOf(error) ?? ''];
    if (why === undefined) throw error;
    process.stderr.write(`${why}: nothing to compare\n`);
    return undefined;
  } finally {
    await old.close();
  }
};

const INCOMPARABLE: Readonly<Record<string, string>> = {
  'READ_MODEL.OUTDATED': 'the old timelines have the shape of another release',
  'READ_MODEL.DIVIDED_OTHERWISE': 'the old timelines are divided in shards',
};

const digestsOf = async (settings: HubSettings): Promise<TableDigest[]> => {
  const readModel = await openReadModel(settings, { readonly: true });
  try {
    return await tableDigests(readModel);
  } finally {
    await readModel.close();
  }
};

const differing = (after: readonly TableDigest[], before: readonly TableDigest[]): string[] =>
  after
    .filter(({ table: name, sha256 }) => before.find((b) => b.table === name)?.sha256 !== sha256)
    .map((d) => d.table);

const report = (after: readonly TableDigest[], before: readonly TableDigest[] | undefined): string => {
  const differences = before && differing(after, before);
  return table(
    [
      { title: 'table' },
      { title: 'rows', align: 'right' },
      { title: 'sha256' },
      ...(differences ? [{ title: 'old' }] : []),
    ],
    after.map(({ table: name, rows, sha256 }) => [
      name,
      grouped(rows),
      sha256.slice(0, 16),
      ...(differences ? [differences.includes(name) ? 'differs' : 'equal'] : []),
    ]),
  );
};
