import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteReadModelHome } from '../read-model/sqlite/sqlite.read-model-home.js';
import { projectorContract } from './projector.contract.js';

const folder = mkdtempSync(join(tmpdir(), 'hilo-projector-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
projectorContract('sqlite', () => new SqliteReadModelHome(join(folder, `${++files}.db`)));
