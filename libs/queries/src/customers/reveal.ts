import { ApiProperty, ApiPropertyOptional } from '#libs/kernel/api-docs.js';
import { Injectable } from '@nestjs/common';
import { ProblemError, type Caller, type FieldError } from '#libs/access';
import { AccessTrail } from '#libs/access/trail/access-trail.js';
import { invalidReason, isReason } from '#libs/access/trail/reasons.js';
import { REVEALED_FIELDS, type RevealedField } from '#libs/domain';
import { HubError, isUuid } from '#libs/kernel';
import { CustomerDirectory } from './customer-directory.js';
import { CustomerReader } from './customer-reader.js';
import type { CustomerDto } from './customer.dto.js';

/** One value somebody asks to see in clear. */
export class RevealRequestDto {
  @ApiProperty({ enum: REVEALED_FIELDS })
  field!: RevealedField;
  @ApiPropertyOptional({
    type: String,
    format: 'uuid',
    description: 'Which one of `identities`; with field identifier',
  })
  identity?: string;
  @ApiProperty({ type: String, example: 'call-back', description: 'Code of the reason' })
  reason!: string;
}

/** The value, and where it was written down that it was shown. */
export class RevealedDto {
  @ApiProperty({ enum: REVEALED_FIELDS })
  field!: RevealedField;
  @ApiPropertyOptional({ type: String, format: 'uuid' })
  identity?: string;
  @ApiProperty({ type: String })
  value!: string;
  @ApiProperty({ type: Number })
  position!: number;
}

/** Shows one masked value, once it is written down who asked for it and why. */
@Injectable()
export class Reveals {
  constructor(
    private readonly customers: CustomerDirectory,
    private readonly reader: CustomerReader,
    private readonly trail: AccessTrail,
  ) {}

  /** @throws HubError `REVEAL.INVALID`, `REASON.INVALID` (422), `CUSTOMER.NOT_FOUND`, `EVENT_STORE.UNAVAILABLE` */
  async reveal(caller: Caller, id: string, body: unknown): Promise<RevealedDto> {
    const { field, identity, reason } = readRequest(body);
    const customer = await this.reader.read(await this.customers.get(caller.tenant, id));
    const value = valueOf(customer, field, identity);
    if (value === undefined) throw new HubError('REVEAL.NOT_FOUND', 'the customer has no such value');
    const which = identity === undefined ? {} : { identity };
    const position = await this.trail.revealed(caller, { customer: customer.id, field, ...which, reason });
    return { field, ...which, value, position };
  }
}

const valueOf = (customer: CustomerDto, field: RevealedField, identity: string | undefined): string | undefined => {
  switch (field) {
    case 'name':
      return customer.name;
    case 'birthDate':
      return customer.profiles.find(({ birthDate }) => birthDate !== undefined)?.birthDate;
    case 'identifier':
      return customer.identities.find(({ id }) => id === identity)?.value;
  }
};

const FIELDS = ['field', 'identity', 'reason'];

const readRequest = (body: unknown): RevealRequestDto => {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw invalid('$', 'is no object', '{"field": "name", "reason": "call-back"}');
  const { field, identity, reason } = body as Record<string, unknown>;
  const odd = Object.keys(body).find((name) => !FIELDS.includes(name));
  if (odd !== undefined) throw invalid('$', 'has a field that is not known', FIELDS.join(', '));
  if (!REVEALED_FIELDS.some((known) => known === field))
    throw invalid('$.field', 'is none of those that can be shown', REVEALED_FIELDS.join(', '));
  if (field === 'identifier' ? typeof identity !== 'string' || !isUuid(identity) : identity !== undefined)
    throw invalid('$.identity', 'belongs to field identifier, and only there', 'an id of `identities` of the customer');
  if (!isReason(reason)) throw invalidReason('$.reason', '$.reason is no code of a reason');
  return { field: field as RevealedField, ...(identity === undefined ? {} : { identity: identity as string }), reason };
};

const invalid = (path: string, message: string, allowed: string): ProblemError => {
  const errors: FieldError[] = [{ path, message, allowed }];
  return new ProblemError('REVEAL.INVALID', `${path}: ${message}; ${allowed}`, { errors });
};
