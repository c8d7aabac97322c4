import { randomUUID } from 'node:crypto';
import { Body, Controller, Headers, HttpCode, Param, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import {
  ApiBearerAuth,
  ApiBody,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiResponse,
  ApiTags,
} from '#libs/kernel/api-docs.js';
import {
  CurrentCaller,
  Roles,
  instantField,
  optionalField,
  readBodyFields,
  refusal,
  textField,
  type Caller,
} from '#libs/access';
import { Clock, HubError, IdFactory, isUuid, toInstant, type Uuid } from '#libs/kernel';
import { AddNoteCommand } from './add-note.handler.js';
import {
  AddNoteDto,
  EndCommitmentDto,
  MAX_COMMITMENT_CHARS,
  MAX_NOTE_CHARS,
  MakeCommitmentDto,
  WrittenDownDto,
} from './agent-work.dto.js';
import { ChangeCommitmentCommand } from './change-commitment.handler.js';
import { KnownConversations } from './known-conversations.port.js';

const NOTE = { text: textField(MAX_NOTE_CHARS) };
const COMMITMENT = { text: textField(MAX_COMMITMENT_CHARS), dueAt: optionalField(instantField) };
const END = { reason: optionalField(textField(MAX_COMMITMENT_CHARS)) };

const KEY_HEADER = 'idempotency-key';
const keyForm = /^[\x21-\x7e]{1,200}$/;
const KEY_DOCS = {
  name: KEY_HEADER,
  required: false,
  description:
    'Anything unique, 1 to 200 printable ASCII characters: the same request under the same key is taken once',
} as const;

/** What agents write down at a conversation. Another tenant's ids answer as unknown ones do. */
@ApiTags('notes and commitments')
@ApiBearerAuth()
@ApiResponse({ status: 403, description: 'The role may not write.' })
@ApiResponse({ status: 404, description: 'No conversation or commitment has this id.' })
@ApiResponse({
  status: 409,
  description: 'The key was used for something else, or the commitment has ended otherwise.',
})
@ApiResponse({ status: 422, description: 'A field is missing or wrong.' })
@Controller('v1')
@Roles('agent', 'supervisor')
export class AgentWorkController {
  constructor(
    private readonly commands: CommandBus,
    private readonly conversations: KnownConversations,
    private readonly ids: IdFactory,
    private readonly clock: Clock,
  ) {}

  @Post('conversations/:id/notes')
  @ApiOperation({ summary: 'Write down something for colleagues; it goes with the conversation' })
  @ApiHeader(KEY_DOCS)
  @ApiBody({ type: AddNoteDto })
  @ApiResponse({ status: 201, type: WrittenDownDto })
  async addNote(
    @CurrentCaller() caller: Caller,
    @Param('id') conversation: string,
    @Headers(KEY_HEADER) key: string | undefined,
    @Body() body: unknown,
  ): Promise<WrittenDownDto> {
    const { text } = readBodyFields(body, NOTE, 'NOTE.INVALID');
    const note = this.idOf('note', caller, conversation, key);
    const content = { note, ...(await this.written(caller, conversation)), text };
    const command = new AddNoteCommand(caller.tenant, { type: 'AddNote', content });
    const { position } = await this.commands.execute(command);
    return { id: note, position };
  }

  @Post('conversations/:id/commitments')
  @ApiOperation({ summary: 'Write down what was promised to the customer; it is open until it is kept or withdrawn' })
  @ApiHeader(KEY_DOCS)
  @ApiBody({ type: MakeCommitmentDto })
  @ApiResponse({ status: 201, type: WrittenDownDto })
  async commit(
    @CurrentCaller() caller: Caller,
    @Param('id') conversation: string,
    @Headers(KEY_HEADER) key: string | undefined,
    @Body() body: unknown,
  ): Promise<WrittenDownDto> {
    const { text, dueAt } = readBodyFields(body, COMMITMENT, 'COMMITMENT.INVALID');
    const commitment = this.idOf('commitment', caller, conversation, key);
    const content = {
      commitment,
      ...(await this.written(caller, conversation)),
      text,
      ...(dueAt !== undefined && { dueAt }),
    };
    const command = new ChangeCommitmentCommand(caller.tenant, { type: 'MakeCommitment', content });
    const { position } = await this.commands.execute(command);
    return { id: commitment, position };
  }

  @Post('commitments/:id/keep')
  @HttpCode(200)
  @ApiOperation({ summary: 'What was promised is done; saying it again changes nothing' })
  @ApiBody({ type: EndCommitmentDto, required: false })
  @ApiOkResponse({ type: WrittenDownDto })
  keep(@CurrentCaller() caller: Caller, @Param('id') id: string, @Body() body: unknown): Promise<WrittenDownDto> {
    return this.end('KeepCommitment', caller, id, body);
  }

  @Post('commitments/:id/withdraw')
  @HttpCode(200)
  @ApiOperation({ summary: 'What was promised is no longer owed; saying it again changes nothing' })
  @ApiBody({ type: EndCommitmentDto, required: false })
  @ApiOkResponse({ type: WrittenDownDto })
  withdraw(@CurrentCaller() caller: Caller, @Param('id') id: string, @Body() body: unknown): Promise<WrittenDownDto> {
    return this.end('WithdrawCommitment', caller, id, body);
  }

  private async end(
    type: 'KeepCommitment' | 'WithdrawCommitment',
    caller: Caller,
    id: string,
    body: unknown,
  ): Promise<WrittenDownDto> {
    const { reason } = readBodyFields(body, END, 'COMMITMENT.INVALID');
    // A malformed id is an unknown one.
    if (!isUuid(id)) throw new HubError('COMMITMENT.NOT_FOUND', 'no commitment has this id');
    const { position } = await this.commands.execute(
      new ChangeCommitmentCommand(caller.tenant, {
        type,
        commitment: id,
        ...this.now(caller),
        ...(reason !== undefined && { reason }),
      }),
    );
    return { id, position };
  }

  private async written(caller: Caller, conversation: string) {
    const place = await this.conversations.find(caller.tenant, conversation);
    if (!place) throw new HubError('CONVERSATION.NOT_FOUND', 'no conversation has this id');
    return { conversation, ...place, ...this.now(caller) };
  }

  private now({ keyId }: Caller) {
    return { by: { agent: keyId }, at: toInstant(this.clock.nowMs()) };
  }

  private idOf(
    kind: 'note' | 'commitment',
    { tenant, keyId }: Caller,
    conversation: string,
    key: string | undefined,
  ): Uuid {
    if (key === undefined) return randomUUID();
    if (!keyForm.test(key))
      throw refusal(`${kind.toUpperCase()}.INVALID`, [
        { path: KEY_HEADER, message: 'has another form', allowed: '1 to 200 printable ASCII characters, no space' },
      ]);
    return this.ids.written(kind, tenant, conversation, keyId, key);
  }
}
