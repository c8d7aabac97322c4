import { Controller, Get, HttpStatus, Param, Post, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '#libs/kernel/api-docs.js';
import type { FastifyReply } from 'fastify';
import { CurrentCaller, Roles, formField, readBodyFields, type Caller } from '#libs/access';
import { EraseCustomerDto, ErasureDto } from './erasure.dto.js';
import { Erasures, type KnownErasure } from './erasures.js';

const REASON = formField(
  /^[a-z0-9][a-z0-9-]{0,39}$/,
  'code of lower-case letters, digits and hyphens, at most 40, for example gdpr-art-17',
);

/** The right to be forgotten. Another tenant's customers and erasures answer as unknown ones do. */
@ApiTags('customers')
@ApiBearerAuth()
@ApiResponse({ status: 403, description: 'The role may not erase.' })
@ApiResponse({ status: 404, description: 'No customer, or no erasure, has this id.' })
@Controller('v1')
@Roles('supervisor')
export class ErasureController {
  constructor(private readonly erasures: Erasures) {}

  @Post('customers/:id/erase')
  @ApiOperation({
    summary: 'Forget a customer for good: keys, read models, parked messages; answers with the certificate',
    description: 'Cannot be undone. Said again it answers with the same certificate.',
  })
  @ApiBody({ type: EraseCustomerDto })
  @ApiOkResponse({ type: ErasureDto })
  @ApiResponse({ status: 202, type: ErasureDto, description: 'Still going on; `Location` says where to ask again.' })
  @ApiResponse({ status: 422, description: 'The reason is missing or no code.' })
  async erase(
    @CurrentCaller() caller: Caller,
    @Param('id') customer: string,
    @Req() { body }: { body: unknown },
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ErasureDto> {
    const { reason } = readBodyFields(body, { reason: REASON }, 'ERASURE.INVALID');
    const { tenant, keyId: by } = caller;
    const erasure = showErasure(await this.erasures.erase({ tenant, customer, by, reason }));
    void reply.status(erasure.status === 'completed' ? HttpStatus.OK : HttpStatus.ACCEPTED);
    if (erasure.status === 'pending') void reply.header('location', `/v1/erasures/${erasure.erasure}`);
    return erasure;
  }

  @Get('erasures/:id')
  @ApiOperation({ summary: 'The certificate of an erasure' })
  @ApiOkResponse({ type: ErasureDto })
  async erasure(@CurrentCaller() { tenant }: Caller, @Param('id') id: string): Promise<ErasureDto> {
    return showErasure(await this.erasures.get(tenant, id));
  }
}

const showErasure = (known: KnownErasure): ErasureDto => {
  if (known.status === 'completed') return { status: 'completed', ...known.certificate };
  const { links, conversations, ...request } = known.request;
  return { status: 'pending', ...request, links: links.length, conversations: conversations.length };
};
