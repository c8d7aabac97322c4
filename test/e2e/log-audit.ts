import { copyFileSync, existsSync, mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { openSealedEventLog } from '#libs/privacy/open-sealed-event-store.js';
import type { SealedEventLog } from '#libs/privacy/sealed.event-log.js';
import { Projector } from '#libs/projections/projector/projector.js';
import { SqliteReadModel } from '#libs/projections/read-model/sqlite/sqlite.read-model.js';
import { rebuildReadModel } from '#libs/projections/rebuild/rebuild.js';
import { tableDigests, type TableDigest } from '#libs/projections/rebuild/table-digests.js';
import type { StoredEvent } from '#libs/event-store';

/** What the log holds at one position, as far as the audit compares it. */
export interface LoggedEvent {
  stream: string;
  type: string;
  externalId?: string;
  revision?: number;
}

/** Reads a log on from where it stopped and keeps what must hold of it, whatever was killed when. */
export class LogAudit {
  /** Rules that the log breaks. */
  readonly faults: string[] = [];
  readonly events = new Map<number, LoggedEvent>();
  /** Position and type of the newest event of a contact's stream. */
  readonly newest = new Map<string, { position: number; type: string }>();
  recorded = 0;
  links = 0;
  private readonly revisions = new Map<string, number>();
  private readonly eventIds = new Set<string>();
  private readonly streamOfContact = new Map<string, string>();
  private position = 0;

  async read(dataDir: string): Promise<this> {
    const log = await openSealedEventLog({ dataDir, eventStoreUrl: 'sqlite:' });
    try {
      for await (const events of log.readAll({ after: this.position, batchSize: 1000 }))
        for (const event of events) this.take(event);
    } finally {
      await log.close();
    }
    return this;
  }

  private take({ position, stream, revision, id, type, data }: StoredEvent): void {
    const fault = (what: string): void => void this.faults.push(`position ${position}, ${type} on ${stream}: ${what}`);
    if (position <= this.position) fault(`follows position ${this.position}`);
    this.position = position;
    const before = this.revisions.get(stream) ?? -1;
    if (revision !== before + 1) fault(`revision ${revision} follows ${before}`);
    this.revisions.set(stream, revision);
    if (this.eventIds.has(id)) fault(`event id ${id} is there twice`);
    this.eventIds.add(id);
    const said = data as { externalId?: string; channel?: string; revision?: number };
    const isContact = type === 'InteractionRecorded' || type === 'InteractionCorrected';
    this.events.set(position, { stream, type, ...(isContact ? said : {}) });
    if (isContact) {
      this.newest.set(stream, { position, type });
      const contact = `${said.channel} ${said.externalId}`;
      if ((this.streamOfContact.get(contact) ?? stream) !== stream) fault(`${contact} has another stream already`);
      this.streamOfContact.set(contact, stream);
    }
    if (type === 'InteractionRecorded') {
      this.recorded += 1;
      if (revision > 0) fault('the contact was recorded before');
    }
    if (type === 'IdentitiesLinked') this.links += 1;
  }
}

/** What a kill leaves behind, beside the directory: looking at the original would mend it before the hub does. */
export const copyFiles = (dataDir: string, to: string): string => {
  mkdirSync(to, { recursive: true });
  for (const name of ['events.db', 'read-model.db', 'keys.db', 'master.key']) {
    // A write-ahead log lies beside the file itself, wherever that is.
    const file = existsSync(join(dataDir, name)) ? realpathSync(join(dataDir, name)) : join(dataDir, name);
    for (const end of ['', '-wal']) if (existsSync(file + end)) copyFileSync(file + end, join(to, name + end));
  }
  return to;
};

export interface Comparison {
  position: number;
  head: number;
  found: TableDigest[];
  /** The log folded event by event, up to the position the read model shows. */
  folded: TableDigest[];
  /** What `hilo rebuild` makes of the log; absent where the read model is behind the log. */
  rebuilt?: TableDigest[];
}

// Looks at a customer are written a second after they were taken: a copy may hold some that were not folded yet.
const catchUp = async (file: string, log: SealedEventLog): Promise<void> => {
  const readModel = SqliteReadModel.open({ file });
  try {
    await new Projector(readModel, log).catchUp();
  } finally {
    await readModel.close();
  }
};

/** Fingerprints of a read model, caught up with the log, and of a new one made from the log beside it. Changes the directory: give it a copy. */
export const compareWithLog = async (copy: string): Promise<Comparison> => {
  const log = await openSealedEventLog({ dataDir: copy, eventStoreUrl: 'sqlite:' });
  try {
    await catchUp(join(copy, 'read-model.db'), log);
    const shown = await digestsOf(join(copy, 'read-model.db'));
    const fresh = SqliteReadModel.open({ file: join(copy, 'folded.db') });
    try {
      const projector = new Projector(fresh, log);
      await projector.checkpoint();
      for await (const events of log.readAll({ after: 0, through: shown.position, batchSize: 500 }))
        await projector.apply(events);
      const head = await log.head();
      const compared = { ...shown, head, folded: await tableDigests(fresh) };
      if (shown.position < head) return compared;
      const file = join(copy, 'rebuilt.db');
      await rebuildReadModel({ file, log });
      return { ...compared, rebuilt: (await digestsOf(file)).found };
    } finally {
      await fresh.close();
    }
  } finally {
    await log.close();
  }
};

const digestsOf = async (file: string): Promise<{ position: number; found: TableDigest[] }> => {
  const readModel = SqliteReadModel.open({ file });
  try {
    const checkpoint = await readModel.db.selectFrom('checkpoint').select('position').executeTakeFirst();
    return { position: checkpoint?.position ?? 0, found: await tableDigests(readModel) };
  } finally {
    await readModel.close();
  }
};
