import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import {
  ApiBearerAuth,
  ApiBody,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiResponse,
  ApiTags,
} from '#libs/kernel/api-docs.js';
import {
  CurrentCaller,
  Roles,
  booleanField,
  formField,
  instantAfterField,
  optionalField,
  readBodyFields,
  textField,
  type Caller,
} from '#libs/access';
import type { ConsentCommand } from '#libs/domain';
import { Clock, HubError, toInstant, type Uuid } from '#libs/kernel';
import { KnownIdentities } from '../links/known-identities.port.js';
import { RecordConsentDto, StatePreferenceDto, StatementOutcomeDto } from './consents.dto.js';
import { RecordStatementCommand } from './record-statement.handler.js';

const PURPOSE = formField(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'code of lower-case letters, digits and . _ -, at most 64');
const CHANNEL = formField(/^[a-z][a-z0-9-]{0,31}$/, 'name of a channel, for example email or sms');
const EVIDENCE = textField(1000);

/**
 * What people allow, forbid and prefer, told to any id of theirs or to `type:value`. It stands with the identity that was
 * named. Another tenant's customers answer as unknown ones do.
 */
@ApiTags('consents')
@ApiBearerAuth()
@ApiParam({ name: 'id', description: 'Any id of the customer, or `type:value`, for example email:ana@example.com' })
@ApiResponse({ status: 403, description: 'The role may not.' })
@ApiResponse({ status: 404, description: 'No customer is known by this id or identifier.' })
@ApiResponse({ status: 422, description: 'A field is missing or wrong.' })
@Controller('v1/customers/:id')
@Roles('agent', 'supervisor', 'integration')
export class ConsentsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly identities: KnownIdentities,
    private readonly clock: Clock,
  ) {}

  @Post('consents')
  @HttpCode(200)
  @ApiOperation({ summary: 'Keep what a person has allowed or forbidden; in a linked customer a denial wins' })
  @ApiBody({ type: RecordConsentDto })
  @ApiOkResponse({ type: StatementOutcomeDto })
  async consent(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body() body: unknown,
  ): Promise<StatementOutcomeDto> {
    const identity = await this.identityOf(caller, id);
    const nowMs = this.clock.nowMs();
    const said = readBodyFields(
      body,
      {
        purpose: PURPOSE,
        channel: optionalField(CHANNEL),
        granted: booleanField,
        evidence: EVIDENCE,
        until: optionalField(instantAfterField(nowMs)),
      },
      'CONSENT.INVALID',
    );
    return this.run(caller, {
      type: 'RecordConsent',
      statement: { identity, ...said, statedAt: toInstant(nowMs), by: caller.keyId },
    });
  }

  @Post('preferences')
  @HttpCode(200)
  @ApiOperation({ summary: 'Keep which channel a person prefers; it goes before the one they were seen on most' })
  @ApiBody({ type: StatePreferenceDto })
  @ApiOkResponse({ type: StatementOutcomeDto })
  async preference(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body() body: unknown,
  ): Promise<StatementOutcomeDto> {
    const identity = await this.identityOf(caller, id);
    const nowMs = this.clock.nowMs();
    const { withdrawn, ...said } = readBodyFields(
      body,
      {
        channel: CHANNEL,
        purpose: optionalField(PURPOSE),
        withdrawn: optionalField(booleanField),
        evidence: optionalField(EVIDENCE),
        until: optionalField(instantAfterField(nowMs)),
      },
      'PREFERENCE.INVALID',
    );
    return this.run(caller, {
      type: 'StatePreference',
      statement: {
        identity,
        ...said,
        ...(withdrawn === true && { withdrawn }),
        statedAt: toInstant(nowMs),
        by: caller.keyId,
      },
    });
  }

  private async identityOf({ tenant }: Caller, reference: string): Promise<Uuid> {
    const identity = await this.identities.find(tenant, reference);
    if (identity === undefined) throw new HubError('CUSTOMER.NOT_FOUND', 'no customer has this id');
    return identity;
  }

  private async run({ tenant }: Caller, command: ConsentCommand): Promise<StatementOutcomeDto> {
    const { events, position } = await this.commands.execute(new RecordStatementCommand(tenant, command));
    const outcome = events.length > 0 ? 'recorded' : 'unchanged';
    return { identity: command.statement.identity, outcome, position };
  }
}
