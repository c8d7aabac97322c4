import { ProblemError } from '../problem.js';
import type { Caller } from '../caller.js';

/** Header that says why somebody looks at a customer. */
export const REASON_HEADER = 'hilo-reason';

const form = /^[a-z][a-z0-9-]{0,39}$/;
const ALLOWED = 'a code of lower-case letters, digits and hyphens, at most 40, for example call-back';

/** Whether a text is the code of a reason. A code, not a sentence: it is kept for ever, and may not name anybody. */
export const isReason = (text: unknown): text is string => typeof text === 'string' && form.test(text);

/** The tenants where whoever looks at a customer must say why. */
export class Reasons {
  private readonly tenants: ReadonlySet<string>;

  /** @param tenants comma-separated, or `*` for all; undefined for none */
  constructor(tenants: string | undefined) {
    this.tenants = new Set(tenants?.split(','));
  }

  /** Whether a tenant wants to know why its customers are opened. */
  asks(tenant: string): boolean {
    return this.tenants.has(tenant) || this.tenants.has('*');
  }

  /**
   * The reason a caller gives, where one is given.
   * @throws HubError `REASON.INVALID` (422) where it is no code, or is missing and the tenant asks for one.
   */
  of({ tenant }: Caller, header: string | string[] | undefined): string | undefined {
    if (header === undefined) {
      if (!this.asks(tenant)) return undefined;
      throw invalidReason(
        'Hilo-Reason',
        'the header Hilo-Reason is missing: this tenant asks why a customer is opened',
      );
    }
    if (!isReason(header)) throw invalidReason('Hilo-Reason', 'the header Hilo-Reason is no code of a reason');
    return header;
  }
}

/** A reason that cannot be taken: where it stands, what is wrong, what would be right. */
export const invalidReason = (path: string, message: string): ProblemError =>
  new ProblemError('REASON.INVALID', `${message}; give ${ALLOWED}`, { errors: [{ path, message, allowed: ALLOWED }] });
