import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReadModelHome } from '../read-model/read-model-home.port.js';
import { SqliteReadModelHome } from '../read-model/sqlite/sqlite.read-model-home.js';
import { erasureContract } from './erasure.contract.js';

const folder = mkdtempSync(join(tmpdir(), 'hilo-erasure-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const files = new Map<ReadModelHome, string>();

erasureContract('sqlite', {
  newHome: () => {
    const file = join(folder, `${files.size}.db`);
    const home = new SqliteReadModelHome(file);
    files.set(home, file);
    return home;
  },
  inFiles: async (home, texts) => {
    const bytes = readFileSync(files.get(home)!);
    return texts.map((text) => bytes.includes(text));
  },
  runs: 100,
});
