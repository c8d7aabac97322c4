import { mkdtempSync, rmSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEventsFile, type EventsFile } from '../sqlite/events-file.js';
import { parkedMessagesContract } from './parked-messages.contract.js';
import { SqliteParkedMessages } from './sqlite.parked-messages.js';

const dir = mkdtempSync(join(tmpdir(), 'hilo-parked-'));
afterAll(() => rmSync(dir, { recursive: true }));

let file: EventsFile;
parkedMessagesContract('SqliteParkedMessages', {
  open: () => {
    file = openEventsFile(join(dir, `${randomUUID()}.db`));
    return new SqliteParkedMessages(file);
  },
  close: () => file.close(),
});
