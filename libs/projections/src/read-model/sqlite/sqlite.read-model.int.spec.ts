import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReadModel } from '../read-model.port.js';
import { readModelContract } from '../read-model.contract.js';
import { SqliteReadModel } from './sqlite.read-model.js';

const folder = mkdtempSync(join(tmpdir(), 'hilo-read-model-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const files = new Map<ReadModel, string>();

readModelContract('sqlite', {
  open: async () => {
    const file = join(folder, `${files.size}.db`);
    const readModel = SqliteReadModel.open({ file });
    files.set(readModel, file);
    return readModel;
  },
  openReader: async (of) => SqliteReadModel.open({ file: files.get(of)!, readonly: true }),
  close: (readModel) => readModel.close(),
});
