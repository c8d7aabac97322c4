import { access, readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Position } from '#libs/event-store';
import { HubError, codeOf, messageOf } from '#libs/kernel';
import { historyEvent, type HistoryEvent } from './history-line.js';
import type { HistoryLog } from './history-log.js';
import { readHistory, spanOf, type HistoryRunOptions } from './read-history.js';
import { stripTypes } from './strip-types.js';

/** An analyst's own fold over the log, written as the exports (or the default export) of a module. */
export interface CustomProjection<State = unknown> {
  /** The state before the first event, or a function that makes it. A value is copied, so that every run starts alike. */
  initial: State | (() => State);
  /** The state after an event. Must be synchronous and must return the state, a changed one or the same. */
  evolve(state: State, event: HistoryEvent): State;
  /** What to print of the last state. @default the state itself */
  finish?(state: State): unknown;
}

export interface ProjectionReport {
  result: unknown;
  /** Events folded. */
  events: number;
  /** The log position that the result stands for. */
  position: Position;
}

const failure = (message: string, position?: Position, cause?: unknown): HubError =>
  new HubError('HISTORY.PROJECTION_FAILED', message, { cause, ...(position !== undefined && { facts: { position } }) });

/**
 * Folds the filtered log.
 * @throws HubError `HISTORY.PROJECTION_FAILED` naming the position at which `evolve` failed; `HISTORY.ABORTED`
 */
export const runProjection = async (
  log: HistoryLog,
  projection: CustomProjection,
  options: HistoryRunOptions = {},
): Promise<ProjectionReport> => {
  const span = await spanOf(log, options.filter ?? {});
  let state = guarded('initial', () => start(projection));
  let events = 0;
  for await (const { rows, position } of readHistory(log, span, options)) {
    for (const row of rows) {
      state = guarded('evolve', () => projection.evolve(state, historyEvent(row)), row.position, row.type);
      events += 1;
    }
    options.onProgress?.({ position, head: span.through, events });
  }
  const result = projection.finish ? guarded('finish', () => projection.finish?.(state)) : state;
  return { result, events, position: span.through };
};

const start = ({ initial }: CustomProjection): unknown =>
  typeof initial === 'function' ? (initial as () => unknown)() : structuredClone(initial);

const guarded = (name: keyof CustomProjection, call: () => unknown, position?: Position, type?: string): unknown => {
  const where = position === undefined ? '' : ` at position ${position} (${type})`;
  let value: unknown;
  try {
    value = call();
  } catch (cause) {
    throw failure(`${name} failed${where}: ${messageOf(cause)}`, position, cause);
  }
  if (typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function') {
    // Nobody awaits it: without a handler its rejection would end the process before this message is read.
    Promise.resolve(value).catch(() => undefined);
    throw failure(`${name} returned a promise${where}; it must be synchronous`, position);
  }
  if (value === undefined && name === 'evolve')
    throw failure(`evolve returned nothing${where}; return the state`, position);
  return value;
};

const plain = (_key: string, value: unknown): unknown => {
  if (value instanceof Map) return Object.fromEntries(value as Map<string, unknown>);
  if (value instanceof Set) return [...(value as Set<unknown>)];
  return typeof value === 'bigint' ? value.toString() : value;
};

/** A projection's result as indented JSON; maps become objects, sets arrays, big integers texts. */
export const projectionJson = (result: unknown): string => JSON.stringify(result ?? null, plain, 2) ?? 'null';

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs'];

/**
 * Loads a projection from a module file: .ts or .mts, whose types are stripped and not checked, or .js or .mjs. It runs with
 * the rights of the caller: load only files that the caller wrote.
 * @param importModule how a file URL becomes a module. @default Node's own `import`
 * @throws HubError `HISTORY.PROJECTION_INVALID`, `HISTORY.NO_TRANSPILER`
 */
export const loadProjection = async (
  file: string,
  importModule: (url: string) => Promise<unknown> = (url) => import(url),
): Promise<CustomProjection> => {
  const path = resolve(file);
  if (!EXTENSIONS.includes(extname(path)))
    throw new HubError(
      'HISTORY.PROJECTION_INVALID',
      `${file} is not a module; write it as one of ${EXTENSIONS.join(', ')}`,
    );
  try {
    await access(path);
  } catch (cause) {
    const problem = codeOf(cause) === 'ENOENT' ? 'does not exist' : `cannot be read (${messageOf(cause)})`;
    throw new HubError('HISTORY.PROJECTION_INVALID', `${file} ${problem}`, { cause });
  }
  if (/\.m?ts$/.test(path)) await readTypeScript(path);
  let loaded: unknown;
  try {
    loaded = await importModule(pathToFileURL(path).href);
  } catch (cause) {
    throw new HubError('HISTORY.PROJECTION_INVALID', `${file} cannot be loaded: ${messageOf(cause)}`, { cause });
  }
  return projectionIn(loaded, file);
};

let hooked = false;

const readTypeScript = async (path: string): Promise<void> => {
  // Newer Node strips types by itself.
  if ('typescript' in process.features && process.features.typescript) return;
  // On the hooks thread errors lose their code: whatever is wrong with this file is better said here.
  await stripTypes(await readFile(path, 'utf8'), path);
  if (!hooked) register(new URL('./typescript.hooks.js', import.meta.url));
  hooked = true;
};

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const projectionIn = (loaded: unknown, file: string): CustomProjection => {
  const refuse = (problem: string): never => {
    throw new HubError(
      'HISTORY.PROJECTION_INVALID',
      `${file} ${problem}; a projection exports initial, evolve(state, event) and, if it likes, finish(state)`,
    );
  };
  if (!isObject(loaded)) return refuse('exports nothing');
  const module = 'default' in loaded && isObject(loaded.default) && !('evolve' in loaded) ? loaded.default : loaded;
  if (!('initial' in module)) return refuse('has no initial');
  if (!('evolve' in module)) return refuse('has no evolve');
  if (typeof module.evolve !== 'function') return refuse('has an evolve that is not a function');
  if ('finish' in module && typeof module.finish !== 'function') return refuse('has a finish that is not a function');
  return module as unknown as CustomProjection;
};
