import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import type { Bound } from './figures.js';
import type { Machine } from './machine.js';
import { MAX_SPREAD, type Outcome, type Steadiness } from './results.js';

export interface Report {
  /** Day of the run. */
  date: string;
  machine: Machine;
  sizes: object;
  /** How much was measured how often, in a sentence. */
  workload: string;
  steadiness: Steadiness;
  outcomes: readonly Outcome[];
}

const HEADINGS = ['figure', 'value', 'unit', 'yardstick', 'ratio', 'must', 'aim', 'verdict'];

const figures = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(value >= 10 ? 3 : 2);

const boundText = (bound: Bound | undefined, better: 'more' | 'less' | undefined): string => {
  if (!bound) return '';
  const sign = better === 'more' ? '≥' : '≤';
  if (bound.value !== undefined) return `${sign} ${figures(bound.value)}`;
  return `${sign} ${bound.ratio} ×${bound.plus === undefined ? '' : ` + ${bound.plus}`}`;
};

const cellsOf = ({ figure, value, yardstick, ratio, verdict }: Outcome): string[] => [
  figure.title,
  figures(value),
  figure.unit,
  yardstick === undefined ? '' : `${figure.yardstick} ${figures(yardstick)}`,
  ratio === undefined ? '' : ratio.toFixed(2),
  boundText(figure.must, figure.better),
  boundText(figure.aim, figure.better),
  verdict,
];

const aboutRun = ({ machine, workload, steadiness }: Report): string[] => [
  `${machine.cores} cores (${machine.model}), ${machine.memoryGb} GB, ${machine.kernel}, Node ${machine.node}, ${machine.sqlite}; load before the run ${machine.loadBefore}.`,
  workload,
  `Between rounds fdatasync varied by ${steadiness.syncSpread.toFixed(2)}, JSON by ${steadiness.jsonSpread.toFixed(2)}; ` +
    (steadiness.steady
      ? `within ${MAX_SPREAD}, so the run counts.`
      : `above ${MAX_SPREAD}, so THE RUN DOES NOT COUNT: repeat it on a machine that does nothing else.`),
];

/** The table for a terminal. */
export const terminalTable = (report: Report): string => {
  const rows = [HEADINGS, ...report.outcomes.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 1 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd();
  return [...rows.map(line), '', ...aboutRun(report), ''].join('\n');
};

const markdown = (report: Report): string => {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    `# Benchmark of ${report.date}`,
    '',
    ...aboutRun(report),
    '',
    line(HEADINGS),
    line(HEADINGS.map((_, column) => (column === 1 || column === 4 ? '---:' : '---'))),
    ...report.outcomes.map((outcome) => line(cellsOf(outcome))),
    '',
  ].join('\n');
};

/** Writes `NAME.json` and `NAME.md`, as the formatter of the project wants them, and answers with the path of the latter. */
export const writeReport = async (directory: string, name: string, report: Report): Promise<string> => {
  mkdirSync(directory, { recursive: true });
  const { outcomes, ...about } = report;
  const plain = outcomes.map(({ figure, ...outcome }) => ({ title: figure.title, unit: figure.unit, ...outcome }));
  const write = async (ending: 'json' | 'md', text: string): Promise<string> => {
    const file = join(directory, `${name}.${ending}`);
    const parser = ending === 'json' ? 'json' : 'markdown';
    writeFileSync(file, await format(text, { parser, singleQuote: true, printWidth: 120 }));
    return file;
  };
  await write('json', JSON.stringify({ ...about, outcomes: plain }));
  return write('md', markdown(report));
};
