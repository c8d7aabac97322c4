import type { CustomerDto } from '#libs/queries/customers/customer.dto.js';
import type { TimelineEntryDto } from '#libs/queries/timeline/timeline.dto.js';
import type { Paint } from './style.js';
import { grouped } from './table.js';
import { displayWidth, fit, pad, printable, printableLines, wrap } from './width.js';

export interface TimelineLook {
  /** Columns of the terminal; undefined: nothing is cut. */
  width?: number;
  paint: Paint;
}

const plural = (count: number, noun: string): string => `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;

const channelsText = (channels: Readonly<Record<string, number>>): string =>
  Object.entries(channels)
    .toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .map(([channel, count]) => `${printable(channel)} ${grouped(count)}`)
    .join(', ');

const day = (instant: string): string => instant.slice(0, 10);

/** Who the customer is: name, id, identities, channels, what was promised. */
export const customerHeader = (customer: CustomerDto, { paint }: TimelineLook): string => {
  const lines = [`${paint('bold', printable(customer.name ?? 'no name'))}  ${paint('dim', customer.id)}`];
  const shown = customer.identities.filter(({ type }) => type !== 'profile' && type !== 'conversation');
  const widest = Math.max(0, ...shown.map(({ type }) => displayWidth(type)));
  for (const { type, value, verified } of shown)
    lines.push(`  ${pad(printable(type), widest)}  ${printable(value)}${verified ? paint('green', ' verified') : ''}`);
  for (const { source, externalId } of customer.profiles)
    lines.push(paint('dim', `  record ${printable(externalId)} of ${printable(source)}`));
  const between =
    customer.firstContactAt && customer.lastContactAt
      ? `, ${day(customer.firstContactAt)} to ${day(customer.lastContactAt)}`
      : '';
  const by = customer.interactions > 0 ? `: ${channelsText(customer.channels)}` : '';
  lines.push(`  ${plural(customer.interactions, 'contact')}${by}${between}`);
  for (const { text, dueAt } of customer.commitments)
    lines.push(`  promised: ${printable(text ?? '')}${dueAt ? `, due ${day(dueAt)}` : ''}`);
  const more = customer.openCommitments - customer.commitments.length;
  if (more > 0) lines.push(`  and ${plural(more, 'commitment')} more`);
  return `${lines.join('\n')}\n`;
};

/** One line per customer, to choose from. */
export const customerChoice = (customers: readonly CustomerDto[]): string =>
  customers
    .map(
      ({ id, name, interactions, lastContactAt }) =>
        `  ${id}  ${printable(name ?? 'no name')}, ${plural(interactions, 'contact')}${lastContactAt ? `, last ${day(lastContactAt)}` : ''}\n`,
    )
    .join('');

const ARROWS: Readonly<Record<string, string>> = { inbound: '→', outbound: '←', internal: '·' };

/** Contacts as a table, in the order given. */
export const timelineTable = (entries: readonly TimelineEntryDto[], look: TimelineLook): string => {
  const { paint, width } = look;
  const wide = (title: string, cells: readonly string[]): number => Math.max(...[title, ...cells].map(displayWidth));
  const channelWidth = wide(
    'channel',
    entries.map(({ channel }) => printable(channel)),
  );
  const kindWidth = wide(
    'kind',
    entries.map(({ kind }) => kind),
  );
  const before = 16 + 2 + 1 + 1 + channelWidth + 2 + kindWidth + 2;
  const room = width === undefined ? undefined : Math.max(20, width - before);
  const lines = [
    paint('dim', `${pad('when (UTC)', 20)}${pad('channel', channelWidth)}  ${pad('kind', kindWidth)}  what`),
  ];
  for (const entry of entries) {
    const when = entry.occurredAt.slice(0, 16).replace('T', ' ');
    const what = whatOf(entry);
    lines.push(
      `${when}  ${paint(entry.direction === 'inbound' ? 'cyan' : 'yellow', ARROWS[entry.direction] ?? '?')} ` +
        `${paint('bold', pad(printable(entry.channel), channelWidth))}  ${pad(entry.kind, kindWidth)}  ${room === undefined ? what : fit(what, room)}`.trimEnd(),
    );
    for (const line of bodyLines(entry, room)) lines.push(`${' '.repeat(before)}${paint('dim', line)}`.trimEnd());
  }
  return `${lines.join('\n')}\n`;
};

const whatOf = (entry: TimelineEntryDto): string => {
  const said = [entry.subject, entry.body ? undefined : entry.preview].filter((part) => part !== undefined).join(': ');
  const marks = [
    entry.outcome,
    entry.agent && `with ${entry.agent}`,
    entry.late && 'came late',
    entry.corrected && 'corrected',
  ].filter((mark) => typeof mark === 'string' && mark !== '');
  return printable(marks.length > 0 ? `${said}${said ? ' ' : ''}[${marks.join(', ')}]` : said);
};

const bodyLines = ({ body }: TimelineEntryDto, room: number | undefined): string[] => {
  if (!body) return [];
  const text = body.text ?? (body.html === undefined ? undefined : '(HTML only)');
  const lines = text === undefined ? [] : printableLines(text.trimEnd());
  const files = (body.attachments ?? []).map(({ name, contentType }) =>
    printable(`attached: ${name ?? contentType ?? 'a file'}`),
  );
  return [...lines, ...files].flatMap((line) => (room === undefined ? [line] : wrap(line, room)));
};
