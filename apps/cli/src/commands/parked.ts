import { userInfo } from 'node:os';
import { Command } from 'commander';
import type { BusMessage, DeliveryOutcome } from '#libs/bus';
import { parseCloudEvent } from '#libs/bus/cloud-event.js';
import type { ParkedMessage, ParkedMessages, ParkedSummary } from '#libs/event-store';
import { openEventStore } from '#libs/event-store/open-event-store.js';
import { SqliteParkedMessages } from '#libs/event-store/parked/sqlite.parked-messages.js';
import { GroupCommit } from '#libs/event-store/sqlite/group-commit.js';
import { HubError, SystemClock, codeOf, messageOf } from '#libs/kernel';
import type { HubSettings } from '#libs/kernel/settings.js';
import { SealedParkedMessages } from '#libs/privacy';
import { openVaultReader } from '#libs/privacy/open-sealed-event-store.js';
import { failure, interrupted, usageError } from '../errors.js';
import { parkedFacts, parkedTable } from '../format/parked.js';
import { grouped } from '../format/table.js';
import { printableLines } from '../format/width.js';
import { interruptSignal } from '../interrupt.js';
import { settled, startLine, type Line } from '../line-program.js';
import {
  isShared,
  openSealedFile,
  requireData,
  requireUnowned,
  settingsFrom,
  type GlobalOptions,
} from '../open-data.js';
import { wholeOption } from '../options.js';

interface ListOptions extends GlobalOptions {
  tenant?: string;
  all?: true;
  limit: string;
  json?: true;
}

interface ShowOptions extends GlobalOptions {
  raw?: true;
}

interface ReplayOptions extends GlobalOptions {
  all?: true;
  tenant?: string;
}

interface DiscardOptions extends GlobalOptions {
  reason: string;
}

const PAGE = 500;

export const parkedCommand = (): Command => {
  const parked = new Command('parked').description('messages that could not be recorded');
  parked
    .command('list')
    .description('what is parked, newest first')
    .option('--tenant <tenant>', 'only of this tenant')
    .option('--all', 'also what was replayed or discarded')
    .option('--limit <messages>', '1 to 1000', '100')
    .option('--json', 'one line of JSON a message')
    .action((_options: unknown, command: Command) => list(command.optsWithGlobals<ListOptions>()));
  parked
    .command('show')
    .description('one message with its bytes')
    .argument('<id>')
    .option('--raw', 'the bytes alone')
    .action((id: string, _options: unknown, command: Command) => show(id, command.optsWithGlobals<ShowOptions>()));
  parked
    .command('replay')
    .description('send messages through the line again')
    .argument('[id...]')
    .option('--all', 'everything that is parked')
    .option('--tenant <tenant>', 'with --all: of this tenant')
    .action(async (ids: string[], _options: unknown, command: Command) => {
      process.exitCode = await replay(ids, command.optsWithGlobals<ReplayOptions>());
    });
  parked
    .command('discard')
    .description('give a message up; its bytes stay')
    .argument('<id>')
    .requiredOption('--reason <text>', 'why, for whoever asks later')
    .action((id: string, _options: unknown, command: Command) =>
      discard(id, command.optsWithGlobals<DiscardOptions>()),
    );
  return parked;
};

/** Over a connection that only reads: a running hub is not in the way, and not disturbed. */
const reading = async <T>(options: GlobalOptions, work: (parked: ParkedMessages) => Promise<T>): Promise<T> => {
  const settings = settingsFrom(options);
  if (isShared(settings)) return sharedParked(settings, work);
  const { db, close } = readerOf(settings);
  try {
    const vault = await openVaultReader(settings);
    try {
      const sealed = new SqliteParkedMessages({
        db,
        commits: new GroupCommit(db, 'events.db'),
        close: () => undefined,
      });
      return await work(new SealedParkedMessages(sealed, vault, new SystemClock()));
    } finally {
      await vault.close();
    }
  } finally {
    await close();
  }
};

/** Those of a log on a server, which lie beside it for every program. */
const sharedParked = async <T>(settings: HubSettings, work: (parked: ParkedMessages) => Promise<T>): Promise<T> => {
  const { openBesideLog } = await import('../../../shared/src/open-cluster.js');
  const log = await openBesideLog(settings, new SystemClock());
  try {
    return await work(log.parked);
  } finally {
    await log.close();
  }
};

const readerOf = (settings: HubSettings) => {
  const log = openSealedFile(settings);
  return { db: log.db, close: () => log.close() };
};

const list = ({ tenant, all, limit: text, json, ...options }: ListOptions): Promise<void> =>
  reading(options, async (parked) => {
    const limit = wholeOption('--limit', text, 1, 1000);
    const messages = await parked.list({
      limit,
      ...(tenant !== undefined && { tenant }),
      ...(!all && { status: 'parked' }),
    });
    if (json) process.stdout.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
    else if (messages.length === 0) process.stdout.write('nothing is parked\n');
    else process.stdout.write(parkedTable(messages, Date.now()));
    if (messages.length === limit) process.stderr.write(`there may be more than ${limit}: --limit\n`);
  });

const unknown = (id: string): HubError => failure(`there is no parked message ${id}; see hilo parked list --all`);

const show = (id: string, { raw, ...options }: ShowOptions): Promise<void> =>
  reading(options, async (parked) => {
    const message = await parked.get(id);
    if (!message) throw unknown(id);
    if (raw) {
      process.stdout.write(message.bytes);
      return;
    }
    const text = message.bytes.toString('utf8');
    process.stdout.write(`${parkedFacts(message)}\n${printableLines(text).join('\n')}\n`);
  });

const discard = async (id: string, { reason, ...options }: DiscardOptions): Promise<void> => {
  const settings = settingsFrom(options);
  const giveUp = (parked: ParkedMessages): Promise<void> => parked.discard(id, userInfo().username, reason);
  if (isShared(settings)) await sharedParked(settings, giveUp);
  else {
    requireData(settings);
    requireUnowned(settings, 'discarding writes into it');
    const store = await openEventStore(settings, new SystemClock(), { program: 'hilo parked' });
    try {
      await giveUp(store.parked);
    } finally {
      await store.close();
    }
  }
  process.stderr.write(`${id} is discarded\n`);
};

const replay = async (ids: readonly string[], { all, tenant, ...options }: ReplayOptions): Promise<number> => {
  if (all ? ids.length > 0 : ids.length === 0)
    throw usageError('replay', all ? '--all stands beside an id' : 'no message is named', 'give ids, or --all alone');
  const settings = settingsFrom(options);
  requireData(settings);
  if (!isShared(settings)) requireUnowned(settings, 'replaying records into it');
  const signal = interruptSignal();
  const line = await startLine(settings, 'hilo parked');
  const left: string[] = [];
  let recorded = 0;
  try {
    const { parked } = line.parts.log;
    for (const id of all ? await idsOf(parked, tenant) : ids) {
      if (signal.aborted) throw interrupted(`stopped after ${grouped(recorded)}; the same command goes on`);
      try {
        process.stdout.write(`${id}  ${await replayOne(line, id)}\n`);
        recorded += 1;
      } catch (error) {
        if (codeOf(error) !== 'CLI.FAILED' && codeOf(error) !== 'PARKED.SETTLED') throw error;
        left.push(id);
        process.stderr.write(`hilo: ${messageOf(error)}\n`);
      }
    }
    await settled(line, () => undefined, signal);
  } finally {
    await line.close();
  }
  process.stderr.write(`${grouped(recorded)} replayed, ${grouped(left.length)} left as they were\n`);
  return left.length === 0 ? 0 : 1;
};

/** Oldest first, as they came. */
const idsOf = async (parked: ParkedMessages, tenant: string | undefined): Promise<string[]> => {
  const ids: string[] = [];
  let page: ParkedSummary[];
  do {
    const before = ids.at(-1);
    page = await parked.list({
      status: 'parked',
      limit: PAGE,
      ...(before !== undefined && { before }),
      ...(tenant !== undefined && { tenant }),
    });
    ids.push(...page.map(({ id }) => id));
  } while (page.length === PAGE);
  return ids.toReversed();
};

const replayOne = async (line: Line, id: string): Promise<string> => {
  const { parked } = line.parts.log;
  const message = await parked.get(id);
  if (!message) throw unknown(id);
  if (message.status !== 'parked') throw failure(`parked message ${id} is already ${message.status}`);
  const outcomes =
    message.stage === 'record' ? await line.parts.bus.publish([messageIn(message)]) : await readAgain(line, message);
  const again = outcomes.find(({ status, receipt }) => status === 'parked' && receipt === id);
  // The same bytes for the same reason are the same message, one attempt later.
  if (again) throw failure(`parked message ${id} is parked again: ${again.reason ?? message.reason}`);
  const text = outcomeText(outcomes);
  await parked.markReplayed(id, text);
  return text;
};

const messageIn = (message: ParkedMessage): BusMessage => {
  const read = parseCloudEvent(message.bytes.toString('utf8'));
  if ('problem' in read) throw failure(`parked message ${message.id} cannot be read: ${read.problem}; discard it`);
  return read.message;
};

/** Lets the channel of a delivery read it once more: the adapter may know the format by now. */
const readAgain = async (line: Line, message: ParkedMessage): Promise<DeliveryOutcome[]> => {
  const { replayDelivery } = await import('../replay-delivery.js');
  return replayDelivery(line, message);
};

/** `recorded at position 12`, `recorded 3, duplicate 1`; what is parked for another reason than before is a message of its own. */
export const outcomeText = (outcomes: readonly DeliveryOutcome[]): string => {
  const [first] = outcomes;
  if (!first) return 'nothing to record';
  if (outcomes.length === 1) {
    const { status, receipt, position } = first;
    if (status === 'parked') return `parked again as ${receipt}`;
    return position === undefined ? status : `${status} at position ${position}`;
  }
  const counts = new Map<string, number>();
  for (const { status } of outcomes) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${status} ${count}`).join(', ');
};
