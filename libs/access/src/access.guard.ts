import { type CanActivate, type ExecutionContext } from '@nestjs/common';
import { HubError } from '#libs/kernel';
import { type Logger } from '#libs/kernel/logging.js';
import type { ApiKeys } from './api-keys.port.js';
import type { BearerTokens } from './bearer-tokens.port.js';
import { PUBLIC_METADATA, ROLES_METADATA, type Caller, type CallerRequest, type Role } from './caller.js';
import { ProblemError } from './problem.js';
import type { TokenBuckets } from './token-bucket.js';

type Rule = 'public' | 'undeclared' | ReadonlySet<Role>;
type Declaring = ReturnType<ExecutionContext['getHandler']>;

interface HeaderRequest extends CallerRequest {
  headers: { authorization?: string };
}

const scheme = /^bearer +([^ ]+) *$/i;

/**
 * Refuses every request whose handler does not say who may call it, and every caller who may not.
 * The credential travels in `Authorization: Bearer` alone; one in the address would end up in logs and histories.
 */
export class AccessGuard implements CanActivate {
  private readonly rules = new WeakMap<Declaring, WeakMap<object, Rule>>();

  constructor(
    private readonly keys: Pick<ApiKeys, 'verify'>,
    private readonly logger: Logger,
    private readonly quota?: TokenBuckets,
    /** Absent where no provider of tokens is set. */
    private readonly tokens?: BearerTokens,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const rule = this.ruleOf(context);
    if (rule === 'public') return true;
    if (rule === 'undeclared') {
      this.logger.error(
        { controller: context.getClass().name, handler: context.getHandler().name },
        'handler without @Roles or @Public refused: declare who may call it',
      );
      throw forbidden();
    }
    const request = context.switchToHttp().getRequest<HeaderRequest>();
    const credential = bearerOf(request.headers.authorization);
    const verifier = this.tokens && !isApiKey(credential) ? this.tokens : this.keys;
    request.callerNow = () => verifier.verify(credential);
    const caller = verifier.verify(credential);
    return caller instanceof Promise
      ? caller.then((known) => this.admit(request, rule, known))
      : this.admit(request, rule, caller);
  }

  private admit(request: HeaderRequest, allowed: ReadonlySet<Role>, caller: Caller | undefined): boolean {
    if (!caller)
      throw new HubError('ACCESS.UNAUTHENTICATED', 'the API key or token is not known, not valid here, or has expired');
    const waitSeconds = this.quota?.take(caller.keyId) ?? 0;
    if (waitSeconds > 0)
      throw new ProblemError(
        'ACCESS.RATE_LIMITED',
        `this caller has used up its quota; try again in ${waitSeconds} s`,
        {
          retryAfterSeconds: waitSeconds,
        },
      );
    if (!caller.roles.some((role) => role === 'admin' || allowed.has(role))) throw forbidden();
    request.caller = caller;
    return true;
  }

  private ruleOf(context: ExecutionContext): Rule {
    const [handler, controller] = [context.getHandler(), context.getClass()];
    const known = this.rules.get(handler)?.get(controller);
    if (known !== undefined) return known;
    const rule = declaredOn(handler) ?? declaredOn(controller) ?? 'undeclared';
    const ofHandler = this.rules.get(handler) ?? new WeakMap<object, Rule>();
    this.rules.set(handler, ofHandler.set(controller, rule));
    return rule;
  }
}

const declaredOn = (target: object): Rule | undefined => {
  const roles = Reflect.getMetadata(ROLES_METADATA, target) as Role[] | undefined;
  if (roles) return new Set(roles);
  return Reflect.getMetadata(PUBLIC_METADATA, target) === true ? 'public' : undefined;
};

const isApiKey = (credential: string): boolean => credential.startsWith('hilo_');

const bearerOf = (header: string | undefined): string => {
  if (header === undefined)
    throw new HubError('ACCESS.UNAUTHENTICATED', 'this address needs an API key or token in "Authorization: Bearer"');
  // What every client writes; the pattern is for the others.
  if (header.startsWith('Bearer ') && !header.includes(' ', 7)) return header.slice(7);
  const key = scheme.exec(header)?.[1];
  if (key === undefined)
    throw new HubError('ACCESS.UNAUTHENTICATED', '"Authorization" must read "Bearer <API key or token>"');
  return key;
};

const forbidden = () => new HubError('ACCESS.FORBIDDEN', 'this caller may not do that');
