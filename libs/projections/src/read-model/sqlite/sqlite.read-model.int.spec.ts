import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReadModel } from '../read-model.port.js';
import { readModelContract } from '../read-model.contract.js';
import { SqliteReadModel } from './sqlite.read-model.js';

const files = new Map<ReadModel, string>();

readModelContract('sqlite', {
  open: async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'hilo-read-model-')), 'read-model.db');
    const readModel = SqliteReadModel.open({ file });
    files.set(readModel, file);
    return readModel;
  },
  openReader: async (of) => SqliteReadModel.open({ file: files.get(of)!, readonly: true }),
  close: (readModel) => readModel.close(),
});
