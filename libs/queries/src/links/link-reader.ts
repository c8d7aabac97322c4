import { Injectable } from '@nestjs/common';
import { upcast, type LinkEvent } from '#libs/domain';
import { EventStore, streamId } from '#libs/event-store';
import { toInstant, uuidOfBytes, type Uuid } from '#libs/kernel';
import { ReadModel, type IdentityTable, type LinkStatus } from '#libs/projections';
import { showIdentity, type ShownIdentity } from '../customers/show-identity.js';
import type { LinkDecision, LinkDecisionDto, LinkEndDto, NamedIdentityDto } from './links.dto.js';

/** What `LinkReader.rows` selects. */
export interface LinkRow {
  id: Buffer;
  status: LinkStatus;
  position: number;
  aId: Buffer;
  aType: string;
  aValue: string;
  aVerified: number;
  aName: string | null;
  aHeldFrom: number | null;
  aHeldUntil: number | null;
  aCustomer: Buffer;
  bId: Buffer;
  bType: string;
  bValue: string;
  bVerified: number;
  bName: string | null;
  bHeldFrom: number | null;
  bHeldUntil: number | null;
  bCustomer: Buffer;
}

const DECISIONS: Readonly<Record<LinkEvent['type'], LinkDecision>> = {
  IdentitiesLinked: 'linked',
  LinkProposed: 'proposed',
  LinkConfirmed: 'confirmed',
  LinkRejected: 'rejected',
  LinkRetracted: 'retracted',
};

/** Reads links as people look at them: both ends from the read model, what was decided from the link's own stream. */
@Injectable()
export class LinkReader {
  constructor(
    private readonly readModel: ReadModel,
    private readonly store: EventStore,
  ) {}

  /** Links with both their ends; narrow it, order it, bound it. */
  rows() {
    return this.readModel.db
      .selectFrom('link')
      .innerJoin('identity as a', 'a.key', 'link.a')
      .innerJoin('identity as b', 'b.key', 'link.b')
      .innerJoin('identity as ac', 'ac.key', 'a.customer')
      .innerJoin('identity as bc', 'bc.key', 'b.customer')
      .select([
        'link.id',
        'link.status',
        'link.lastPosition as position',
        'a.id as aId',
        'a.type as aType',
        'a.value as aValue',
        'a.verified as aVerified',
        'a.name as aName',
        'a.heldFrom as aHeldFrom',
        'a.heldUntil as aHeldUntil',
        'ac.id as aCustomer',
        'b.id as bId',
        'b.type as bType',
        'b.value as bValue',
        'b.verified as bVerified',
        'b.name as bName',
        'b.heldFrom as bHeldFrom',
        'b.heldUntil as bHeldUntil',
        'bc.id as bCustomer',
      ])
      .where('link.status', '<>', 'erased');
  }

  ends(row: LinkRow): LinkEndDto[] {
    const a = {
      id: row.aId, type: row.aType, value: row.aValue, verified: row.aVerified, name: row.aName,
      heldFrom: row.aHeldFrom, heldUntil: row.aHeldUntil,
    }; // prettier-ignore
    const b = {
      id: row.bId, type: row.bType, value: row.bValue, verified: row.bVerified, name: row.bName,
      heldFrom: row.bHeldFrom, heldUntil: row.bHeldUntil,
    }; // prettier-ignore
    return [
      Object.assign(namedIdentity(a), { customer: uuidOfBytes(row.aCustomer) }),
      Object.assign(namedIdentity(b), { customer: uuidOfBytes(row.bCustomer) }),
    ];
  }

  /** Everything decided about a link up to a position, oldest first. */
  async decisions(link: Uuid, through: number): Promise<LinkDecisionDto[]> {
    const stored = await this.store.read(streamId('link', link));
    return stored
      .filter(({ position }) => position <= through)
      .map((event) => {
        const { type, data } = upcast(event) as LinkEvent;
        return {
          decision: DECISIONS[type],
          at: toInstant(event.recordedAtMs),
          position: event.position,
          ...(data.by && { agent: data.by.agent }),
          ...(data.rule !== undefined && { rule: data.rule }),
          ...('evidence' in data && { evidence: data.evidence, confidence: data.confidence }),
          ...(data.reason !== undefined && { reason: data.reason }),
        };
      });
  }
}

/** An identity's row as people look at it. */
export const namedIdentity = ({ name, ...row }: ShownIdentity & Pick<IdentityTable, 'name'>): NamedIdentityDto =>
  Object.assign(showIdentity(row), name === null ? {} : { name });
