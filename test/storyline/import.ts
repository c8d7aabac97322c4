import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { hilo } from '../e2e/hub-process.js';
import { TENANTS, importItem, profileItem, profiles, type StorylineRow } from './storyline.js';

export const writeLines = async (file: string, items: Iterable<object>): Promise<string> => {
  const out = createWriteStream(file);
  for (const item of items) if (!out.write(`${JSON.stringify(item)}\n`)) await once(out, 'drain');
  out.end();
  await once(out, 'finish');
  return file;
};

/**
 * Imports profiles and contacts of every tenant in this order, by way of files in `work`.
 * @throws Error with what `hilo import` said when it took not all of them
 */
export const importAll = async (dataDir: string, rows: readonly StorylineRow[], work: string): Promise<void> => {
  const take = async (file: string, ...words: string[]): Promise<void> => {
    const { code, stderr } = await hilo(dataDir, 'import', file, '--default-country', 'US', ...words);
    if (code !== 0) throw new Error(`hilo import ${file} ended with ${code}: ${stderr}`);
  };
  for (const tenant of TENANTS) {
    const records = profiles().filter((p) => p.tenant === tenant);
    const contacts = rows.filter((row) => row.tenant === tenant);
    const people = await writeLines(join(work, `${tenant}-profiles.ndjson`), records.map(profileItem));
    await take(people, '--tenant', tenant, '--profiles');
    await take(await writeLines(join(work, `${tenant}.ndjson`), contacts.map(importItem)), '--tenant', tenant);
  }
};
