import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiBody, ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '#libs/kernel/api-docs.js';
import {
  CurrentCaller,
  Roles,
  optionalField,
  readBodyFields,
  refusal,
  textField,
  textPairField,
  type Caller,
} from '#libs/access';
import type { DecidedBy, LinkCommand, LinkEvent } from '#libs/domain';
import { HubError, IdFactory, isUuid, type Uuid } from '#libs/kernel';
import { KnownIdentities } from './known-identities.port.js';
import { LinkIdentitiesDto, LinkOutcomeDto, RetractLinkDto, RuleOnProposalDto } from './links.dto.js';
import { RuleOnLinkCommand } from './rule-on-link.handler.js';

const REASON = textField(1000);
const IDENTITIES = textPairField(600, 'ids of identities, or type:value');

const OUTCOMES: Readonly<Record<LinkEvent['type'], LinkOutcomeDto['outcome']>> = {
  IdentitiesLinked: 'linked',
  LinkProposed: 'unchanged',
  LinkConfirmed: 'confirmed',
  LinkRejected: 'rejected',
  LinkRetracted: 'retracted',
};

/** What supervisors say of who is who. Another tenant's links and identities answer as unknown ones do. */
@ApiTags('links')
@ApiBearerAuth()
@ApiResponse({ status: 403, description: 'The role may not link.' })
@ApiResponse({ status: 404, description: 'No link has this id.' })
@ApiResponse({ status: 409, description: 'The link is in another state; says what to do instead.' })
@ApiResponse({ status: 422, description: 'A field is missing or wrong, or names no known identity.' })
@Controller('v1')
@Roles('supervisor')
export class LinksController {
  constructor(
    private readonly commands: CommandBus,
    private readonly identities: KnownIdentities,
    private readonly ids: IdFactory,
  ) {}

  @Post('links')
  @HttpCode(200)
  @ApiOperation({ summary: 'Join two customers; nothing is rewritten, and a retraction undoes it' })
  @ApiBody({ type: LinkIdentitiesDto })
  @ApiOkResponse({ type: LinkOutcomeDto })
  async link(@CurrentCaller() caller: Caller, @Body() body: unknown): Promise<LinkOutcomeDto> {
    const { identities, reason } = readBodyFields(body, { identities: IDENTITIES, reason: REASON }, 'LINK.INVALID');
    const found = await Promise.all(identities.map((reference) => this.identities.find(caller.tenant, reference)));
    const [a, b] = found;
    if (a === undefined || b === undefined)
      throw refusal(
        'LINK.INVALID',
        found.flatMap((id, index) => (id === undefined ? [unknownIdentity(`$.identities[${index}]`)] : [])),
      );
    if (a === b)
      throw refusal('LINK.INVALID', [
        { path: '$.identities', message: 'names one identity twice', allowed: 'one identity of each customer' },
      ]);
    const link = this.ids.link(caller.tenant, a, b);
    return this.run(caller, { type: 'LinkIdentities', link, a, b, reason, by: byOf(caller) });
  }

  @Post('links/:id/retract')
  @HttpCode(200)
  @ApiOperation({ summary: 'Undo one link, whoever made it; the rules will not make it again' })
  @ApiBody({ type: RetractLinkDto })
  @ApiOkResponse({ type: LinkOutcomeDto })
  retract(@CurrentCaller() caller: Caller, @Param('id') id: string, @Body() body: unknown): Promise<LinkOutcomeDto> {
    const { reason } = readBodyFields(body, { reason: REASON }, 'LINK.INVALID');
    return this.run(caller, { type: 'RetractLink', link: linkId(id), reason, by: byOf(caller) });
  }

  @Post('link-proposals/:id/confirm')
  @HttpCode(200)
  @ApiOperation({ summary: 'Accept a proposal: the two are one customer' })
  @ApiBody({ type: RuleOnProposalDto, required: false })
  @ApiOkResponse({ type: LinkOutcomeDto })
  confirm(@CurrentCaller() caller: Caller, @Param('id') id: string, @Body() body: unknown): Promise<LinkOutcomeDto> {
    return this.run(caller, { type: 'ConfirmLink', link: linkId(id), by: byOf(caller), ...reasonIn(body) });
  }

  @Post('link-proposals/:id/reject')
  @HttpCode(200)
  @ApiOperation({ summary: 'Turn a proposal down; the rules will not propose or link the two again' })
  @ApiBody({ type: RuleOnProposalDto, required: false })
  @ApiOkResponse({ type: LinkOutcomeDto })
  reject(@CurrentCaller() caller: Caller, @Param('id') id: string, @Body() body: unknown): Promise<LinkOutcomeDto> {
    return this.run(caller, { type: 'RejectLink', link: linkId(id), by: byOf(caller), ...reasonIn(body) });
  }

  private async run({ tenant }: Caller, command: LinkCommand): Promise<LinkOutcomeDto> {
    const { events, position } = await this.commands.execute(new RuleOnLinkCommand(tenant, command));
    const [event] = events;
    return { link: command.link, outcome: event ? OUTCOMES[event.type] : 'unchanged', position };
  }
}

const byOf = ({ keyId }: Caller): DecidedBy => ({ agent: keyId });

const reasonIn = (body: unknown): { reason?: string } => {
  const { reason } = readBodyFields(body, { reason: optionalField(REASON) }, 'LINK.INVALID');
  return reason === undefined ? {} : { reason };
};

/** A malformed id is an unknown one. */
const linkId = (id: string): Uuid => {
  if (!isUuid(id)) throw new HubError('LINK.NOT_FOUND', 'no link has this id');
  return id;
};

const unknownIdentity = (path: string) => ({
  path,
  message: 'names no identity that a contact has carried',
  allowed: 'id of an identity, or type:value',
});
