import { createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import { HubError, type TenantId } from '#libs/kernel';

/** What a credential may be for; the README of this room lists what each may do. */
export const ROLES = ['integration', 'agent', 'supervisor', 'analyst', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Who is calling, as the credential proves it. */
export interface Caller {
  readonly tenant: TenantId;
  readonly role: Role;
  /** Public id of the API key, for logs, quotas and audit. */
  readonly keyId: string;
}

/** A request the access guard has let pass. */
export interface CallerRequest {
  caller?: Caller;
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
  if (!request.caller) throw new HubError('ACCESS.UNAUTHENTICATED', 'this address needs an API key');
  return request.caller;
};

/** Hands the caller to a handler: `handle(@CurrentCaller() caller: Caller)`. */
export const CurrentCaller = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  callerOf(context.switchToHttp().getRequest<CallerRequest>()),
);
