import { Command } from 'commander';
import { ENTRY_KINDS } from '#libs/kernel';
import { failure, usageError } from '../errors.js';
import { paintFor } from '../format/style.js';
import { customerChoice, customerHeader, timelineTable, type TimelineLook } from '../format/timeline.js';
import { settingsFrom, type GlobalOptions } from '../open-data.js';
import { REASON_OPTION, noteLookAt, reasonOption } from '../note-look.js';
import { listOption, wholeOption } from '../options.js';

interface TimelineOptions extends GlobalOptions {
  tenant: string;
  limit: string;
  before?: string;
  channel?: string;
  kind?: string;
  bodies?: true;
  customer?: string;
  json?: true;
  reason?: string;
}

const MAX_PAGE = 100;

export const timelineCommand = (): Command =>
  new Command('timeline')
    .description('show the contacts of a customer on all channels, newest first')
    .argument('<identifier>', 'type:value in any spelling, for example email:ana@example.com or phone:+34600000101')
    .requiredOption('--tenant <tenant>', 'whose customer')
    .option('--customer <id>', 'which one, where an identifier stands for several')
    .option('--limit <entries>', `1 to ${MAX_PAGE}`, '50')
    .option('--before <cursor>', 'go on with older contacts: the cursor an earlier page ended with')
    .option('--channel <names>', 'only these channels, comma-separated')
    .option('--kind <names>', `only of ${ENTRY_KINDS.join(', ')}`)
    .option('--bodies', 'with everything that was said')
    .option(...REASON_OPTION)
    .option('--json', 'customer and page as one line of JSON')
    .action((identifier: string, _options: unknown, command: Command) =>
      run(identifier, command.optsWithGlobals<TimelineOptions>()),
    );

const run = async (identifier: string, options: TimelineOptions): Promise<void> => {
  const limit = wholeOption('--limit', options.limit, 1, MAX_PAGE);
  const channels = listOption(options.channel);
  const kinds = listOption(options.kind);
  const odd = kinds?.find((kind) => !(ENTRY_KINDS as readonly string[]).includes(kind));
  if (odd !== undefined) throw usageError('--kind', `"${odd}" is no kind of entry`, `use ${ENTRY_KINDS.join(', ')}`);

  const [{ openReadSide }, { FindCustomersQuery, GetTimelineQuery }] = await Promise.all([
    import('../read-side.js'),
    import('#libs/queries'),
  ]);
  const settings = settingsFrom(options);
  const reason = reasonOption(settings, options.tenant, options.reason);
  const side = await openReadSide(settings);
  try {
    const { items: found } = await side.queries.execute(new FindCustomersQuery(options.tenant, identifier));
    const chosen = options.customer
      ? found.find(({ id, identities }) => [id, ...identities.map((one) => one.id)].includes(options.customer!))
      : found[0];
    if (!chosen)
      throw failure(
        found.length === 0
          ? `nobody of the tenant ${options.tenant} is known by ${identifier}`
          : `--customer: ${options.customer} is not known by ${identifier}; choose one of ${found.map(({ id }) => id).join(', ')}`,
      );
    const page = await side.queries.execute(
      new GetTimelineQuery({
        tenant: options.tenant,
        customer: chosen.id,
        limit,
        ...(options.before !== undefined && { before: options.before }),
        ...(channels && { channels }),
        ...(kinds && { kinds }),
        body: options.bodies ?? false,
      }),
    );
    const seen = options.customer || options.json ? [chosen] : found;
    for (const { id } of seen)
      await noteLookAt(settings, {
        tenant: options.tenant,
        customer: id,
        saw: id === chosen.id ? 'timeline' : 'header',
        reason,
      });
    if (options.json) {
      const { items, next, previous } = page;
      process.stdout.write(`${JSON.stringify({ customer: chosen, items, next, previous })}\n`);
      return;
    }
    const look: TimelineLook = {
      paint: paintFor(process.stdout),
      ...(process.stdout.isTTY && { width: process.stdout.columns }),
    };
    let text = '';
    if (found.length > 1 && !options.customer)
      text += `${identifier} stands for ${found.length} customers; this is the first, --customer ID shows another:\n${customerChoice(found)}\n`;
    text += `${customerHeader(chosen, look)}\n`;
    text += page.items.length > 0 ? timelineTable(page.items, look) : 'no contacts here\n';
    process.stdout.write(text);
    if (page.next !== undefined) process.stderr.write(`older: --before ${page.next}\n`);
  } finally {
    await side.close();
  }
};
