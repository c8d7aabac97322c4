import { Command } from 'commander';
import type { HubSettings } from '#libs/kernel/settings.js';
import { openReadModelHome } from '#libs/projections/read-model/open-read-model.js';
import { AGENT_WORK_CODES } from '#libs/projections/timeline/codes.js';
import { openBooks } from '../books.js';
import { failure } from '../errors.js';
import { grouped, table } from '../format/table.js';
import { settingsFrom, type GlobalOptions } from '../open-data.js';
import { balance, type AccountBalance, type EntryCount } from '../reconcile.js';

interface ReconcileOptions extends GlobalOptions {
  tenant?: string;
  json?: true;
}

export const reconcileCommand = (): Command =>
  new Command('reconcile')
    .description('prove, account by account, that every accepted delivery is accounted for')
    .option('--tenant <tenant>', 'only of this tenant')
    .option('--json', 'one line of JSON an account')
    .addHelpText(
      'after',
      '\naccepted = recorded + duplicate + corrected + parked + in flight. Exit code 1 when anything does not add up.',
    )
    .action((_options: unknown, command: Command) => run(command.optsWithGlobals<ReconcileOptions>()));

const run = async (options: ReconcileOptions): Promise<void> => {
  const settings = settingsFrom(options);
  const books = await openBooks(settings);
  try {
    const { countedThrough, rows: ledger } = await books.ledger();
    const { rows: counted } = await books.countLog(countedThrough);
    const parked = await books.parked();
    const timelines = await entriesThrough(settings, countedThrough);
    const flying = await books.inFlight();
    const all = balance({ ledger, log: counted, parked, ...(timelines.entries && { entries: timelines.entries }) });
    const accounts = options.tenant === undefined ? all : all.filter(({ tenant }) => tenant === options.tenant);
    if (options.json) process.stdout.write(accounts.map((account) => `${JSON.stringify(account)}\n`).join(''));
    else process.stdout.write(tableOf(accounts));

    const head = await books.head();
    const say = (line: string): void => void process.stderr.write(`${line}\n`);
    say(`ledger and log compared through position ${countedThrough}${head > countedThrough ? ` of ${head}` : ''}`);
    if (!timelines.entries) say(`timelines not compared: they show position ${timelines.position}`);
    if (flying === undefined) say('in flight: unknown, nobody answers for the bus');
    else say(`in flight: ${grouped(flying)}`);
    const wrong = accounts.flatMap(({ tenant, channel, account, differences }) =>
      differences.map((difference) => `${tenant} ${channel} ${account}: ${difference}`),
    );
    if (wrong.length > 0) throw failure(wrong.join('\n'));
    say('everything adds up');
  } finally {
    await books.close();
  }
};

/** Contacts that were recorded up to a position, by account, once the timelines show that position. */
const entriesThrough = async (
  settings: HubSettings,
  through: number,
): Promise<{ position: number; entries?: EntryCount[] }> => {
  const home = await openReadModelHome(settings);
  if (!(await home.exists())) return { position: 0 };
  const readModel = await home.open({ readonly: true });
  try {
    const { db } = readModel;
    const checkpoints = await db.selectFrom('checkpoint').select('position').execute();
    const position = checkpoints.length === 0 ? 0 : Math.min(...checkpoints.map((shard) => shard.position));
    if (position < through) return { position };
    const entries = await db
      .selectFrom('entry')
      .innerJoin('conversation', 'conversation.key', 'entry.conversation')
      .innerJoin('tenant', 'tenant.key', 'conversation.tenant')
      .innerJoin('label as channel', 'channel.key', 'entry.channel')
      .innerJoin('label as account', 'account.key', 'entry.account')
      .select(({ fn }) => [
        'tenant.text as tenant',
        'channel.text as channel',
        'account.text as account',
        fn.countAll<number>().as('entries'),
      ])
      .where('entry.position', '<=', through)
      .where('entry.kind', 'not in', AGENT_WORK_CODES)
      .groupBy(['tenant.text', 'channel.text', 'account.text'])
      .execute();
    const erased = await db
      .selectFrom('erased_contact')
      .innerJoin('tenant', 'tenant.key', 'erased_contact.tenant')
      .innerJoin('label as channel', 'channel.key', 'erased_contact.channel')
      .innerJoin('label as account', 'account.key', 'erased_contact.account')
      .select(({ fn }) => [
        'tenant.text as tenant',
        'channel.text as channel',
        'account.text as account',
        fn.countAll<number>().as('entries'),
      ])
      .where('position', '<=', through)
      .groupBy(['tenant.text', 'channel.text', 'account.text'])
      .execute();
    return { position, entries: [...entries, ...erased] };
  } finally {
    await readModel.close();
  }
};

const tableOf = (accounts: readonly AccountBalance[]): string => {
  const figures = [
    'accepted',
    'recorded',
    'duplicate',
    'corrected',
    'parked',
    'in log',
    'corrections in log',
    'on timelines',
  ];
  return table(
    [
      ...['tenant', 'channel', 'account'].map((title) => ({ title })),
      ...figures.map((title) => ({ title, align: 'right' as const })),
      { title: '' },
    ],
    accounts.map((a) => [
      a.tenant,
      a.channel,
      a.account,
      ...[
        a.recorded + a.duplicate + a.corrected + a.parked,
        a.recorded,
        a.duplicate,
        a.corrected,
        a.parked,
        a.logRecorded,
        a.logCorrected,
      ].map(grouped),
      a.entries === undefined ? '-' : grouped(a.entries),
      a.differences.length === 0 ? 'ok' : 'DIFFERS',
    ]),
  );
};
