import { bytesOfUuid, uuidOfBytes, type Uuid } from '#libs/kernel';
import type { FoldSession } from './fold-session.js';
import type { LinkRow, LinkWrite } from './statements.js';

/** Links as they stand. */
export class FoldedLinks {
  // Those that this batch names; undefined where there is none yet.
  private readonly links = new Map<Uuid, LinkRow | undefined>();
  private readonly statements = this.session.statements;

  constructor(private readonly session: FoldSession) {}

  /** @returns how a link stands; whoever changes that says so in what is returned */
  async find(link: Uuid): Promise<LinkRow | undefined> {
    if (this.links.has(link)) return this.links.get(link);
    const id = bytesOfUuid(link);
    if (!this.session.mayHaveRow(id)) return undefined;
    return (await this.session.rows.all(this.statements.findLink, { id }))[0];
  }

  async add(link: Uuid, { position, ...row }: Omit<LinkWrite, 'key' | 'id'>): Promise<void> {
    const { session } = this;
    const id = bytesOfUuid(link);
    session.getsRow(id);
    const key = session.next('link');
    if (this.links.has(link)) this.links.set(link, { key, status: row.status, a: row.a, b: row.b });
    await session.rows.run(this.statements.addLink, {
      key,
      id,
      ...row,
      firstPosition: position,
      lastPosition: position,
    });
  }

  /** Asks for all that a batch names. */
  async prefetch(ids: Iterable<Uuid>): Promise<void> {
    const named = [...ids];
    for (const id of named) this.links.set(id, undefined);
    const { findLinks } = this.statements;
    for (const { id, ...row } of await this.session.findAll(findLinks, named.map(bytesOfUuid)))
      this.links.set(uuidOfBytes(id), row);
  }

  /** Before another batch, and where links change that it does not name. */
  forget(): void {
    this.links.clear();
  }
}
