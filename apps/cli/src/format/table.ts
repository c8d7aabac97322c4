import { displayWidth, pad, padLeft, printable } from './width.js';

export interface Column {
  title: string;
  /** Numbers stand at the right. @default 'left' */
  align?: 'left' | 'right';
}

/** Rows under their titles, in columns as wide as their widest cell. */
export const table = (columns: readonly Column[], rows: readonly (readonly string[])[]): string => {
  const clean = rows.map((row) => row.map(printable));
  const widths = columns.map(({ title }, index) =>
    Math.max(displayWidth(title), ...clean.map((row) => displayWidth(row[index] ?? ''))),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align }, index) => (align === 'right' ? padLeft : pad)(cells[index] ?? '', widths[index]!))
      .join('  ')
      .trimEnd();
  return [columns.map(({ title }) => title), ...clean].map((cells) => `${line(cells)}\n`).join('');
};

/** `12,345` */
export const grouped = (count: number): string => count.toLocaleString('en-US');

const UNITS: readonly [ms: number, name: string][] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
];

/** A span in its largest whole unit: `3 d`, `12 min`. */
export const span = (ms: number): string => {
  const [unit, name] = UNITS.find(([size]) => ms >= size) ?? UNITS.at(-1)!;
  return `${Math.max(0, Math.floor(ms / unit))} ${name}`;
};

/** Rate of `count` in `ms`, whole numbers a second. */
export const perSecond = (count: number, ms: number): string => grouped(Math.round(count / Math.max(ms / 1000, 0.001)));
