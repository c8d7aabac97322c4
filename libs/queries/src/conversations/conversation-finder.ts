import { Injectable } from '@nestjs/common';
import { bytesOfUuid, isUuid, uuidOfBytes, type Uuid } from '#libs/kernel';
import { AGENT_WORK_CODES, ReadModel } from '#libs/projections';
import { Labels } from '../shared/labels.js';

/** Where a conversation stands: what its newest contact came through, and the identity it came with. */
export interface FoundConversation {
  anchor: Uuid;
  channel: string;
  account: string;
}

/** Finds the conversation that somebody names. Unknown ones and those of other tenants are told by nothing. */
@Injectable()
export class ConversationFinder {
  constructor(
    private readonly readModel: ReadModel,
    private readonly labels: Labels,
  ) {}

  async find(tenant: string, conversation: string): Promise<FoundConversation | undefined> {
    const tenantKey = await this.labels.tenant(tenant);
    if (tenantKey === undefined || !isUuid(conversation)) return undefined;
    const row = await this.readModel.db
      .selectFrom('conversation')
      .innerJoin('entry', 'entry.conversation', 'conversation.key')
      .innerJoin('identity', 'identity.key', 'entry.identity')
      .select(['identity.id', 'entry.channel', 'entry.account'])
      .where('conversation.id', '=', bytesOfUuid(conversation))
      .where('conversation.tenant', '=', tenantKey)
      .where('entry.kind', 'not in', AGENT_WORK_CODES)
      .orderBy('entry.occurredAt', 'desc')
      .orderBy('entry.position', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (!row) return undefined;
    const label = await this.labels.load(new Set([row.channel, row.account]));
    return { anchor: uuidOfBytes(row.id), channel: label(row.channel), account: label(row.account) };
  }
}
