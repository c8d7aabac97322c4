import { createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import { HubError, type TenantId } from '#libs/kernel';

/** What a credential may be for; the README of this room lists what each may do. */
export const ROLES = ['integration', 'agent', 'supervisor', 'analyst', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** What a credential may be granted beside its role: `pii`, to see personal data in clear. */
export const SCOPES = ['pii'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who talks with customers sees who they are; who studies them does not, unless the credential says so. */
const ROLES_WITH_PII: ReadonlySet<Role> = new Set(['agent', 'supervisor', 'admin']);

/** The scopes that come with a role where the credential names none. */
export const scopesOfRole = (role: Role): readonly Scope[] => (ROLES_WITH_PII.has(role) ? ['pii'] : []);

/** Who is calling, as the credential proves it. */
export interface Caller {
  readonly tenant: TenantId;
  /** Of an API key one, of a token none or more. */
  readonly roles: readonly Role[];
  /** Whether personal data is shown in clear; masked otherwise. */
  readonly pii: boolean;
  /** Who this is, for quotas and audit: the id of an API key, or `user:` and the subject of a token. A subject may be a mail address, so it is never logged. */
  readonly keyId: string;
}

/** A request the access guard has let pass. */
export interface CallerRequest {
  caller?: Caller;
  /** Asks again who is calling: for answers that last longer than a credential may. */
  callerNow?: () => Caller | undefined | Promise<Caller | undefined>;
}

export const ROLES_METADATA = 'hilo:roles';
export const PUBLIC_METADATA = 'hilo:public';

/** Lets callers of these roles in, and admins, who may do everything. On a handler it replaces the controller's. */
export const Roles = (...roles: Role[]) => SetMetadata(ROLES_METADATA, roles);

/** Lets everybody in: for routes that prove their caller otherwise (webhooks) or have nothing to hide (health). */
export const Public = () => SetMetadata(PUBLIC_METADATA, true);

/**
 * The caller of a request that passed the guard.
 * @throws HubError `ACCESS.UNAUTHENTICATED` on a public route, where there is none.
 */
export const callerOf = (request: CallerRequest): Caller => {
  if (!request.caller) throw new HubError('ACCESS.UNAUTHENTICATED', 'this address needs an API key or token');
  return request.caller;
};

/** Hands the caller to a handler: `handle(@CurrentCaller() caller: Caller)`. */
export const CurrentCaller = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  callerOf(context.switchToHttp().getRequest<CallerRequest>()),
);
