import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresForTests } from '../../../../test/engines/postgres/postgres-server.js';
import { PostgresReadModelHome } from '../read-model/postgres/postgres.read-model-home.js';
import { SqliteReadModelHome } from '../read-model/sqlite/sqlite.read-model-home.js';
import { projectorContract } from './projector.contract.js';

const newAddress = postgresForTests();
const folder = mkdtempSync(join(tmpdir(), 'hilo-projector-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

projectorContract(
  'postgres',
  () => new PostgresReadModelHome(newAddress()),
  () => new SqliteReadModelHome(join(folder, 'read-model.db')),
);
