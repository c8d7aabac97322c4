import { readFile } from 'node:fs/promises';
import type { LoadHook } from 'node:module';
import { fileURLToPath } from 'node:url';
import { stripTypes } from './strip-types.js';

/** Module loading hook that lets `import` read .ts and .mts files; Node 20 cannot by itself. Runs on Node's hooks thread. */
export const load: LoadHook = async (url, context, nextLoad) => {
  if (!url.startsWith('file:') || !/\.m?ts$/.test(new URL(url).pathname)) return nextLoad(url, context);
  const file = fileURLToPath(url);
  return { format: 'module', source: await stripTypes(await readFile(file, 'utf8'), file), shortCircuit: true };
};
