import { PRIVACY } from '#libs/domain';
import { maskIdentifier } from './mask-identifier.js';

/**
 * The data of a stored event as callers without the scope `pii` see it: what its type declares `clear` or `unnamed`, with
 * identifiers masked. Every other field, and every field of a type that is not declared, is left out.
 */
export const maskEvent = (type: string, data: object): object => {
  const fields = Object.hasOwn(PRIVACY, type) ? PRIVACY[type]!.fields : {};
  return Object.fromEntries(
    Object.entries(data).flatMap(([name, value]: [string, unknown]) => {
      if (name === 'erased') return [[name, value]]; // never stored: it says that there is nothing to show
      const privacy = Object.hasOwn(fields, name) ? fields[name] : 'sealed';
      if (typeof privacy === 'object') return [[name, maskIdentities(value)]];
      return privacy === 'clear' || privacy === 'unnamed' ? [[name, value]] : [];
    }),
  );
};

const maskIdentities = (identities: unknown): unknown[] => (Array.isArray(identities) ? identities.map(maskOne) : []);

const maskOne = (carried: unknown): object => {
  if (typeof carried !== 'object' || carried === null) return {};
  const { identity, type, value, verified, blocked } = carried as Record<string, unknown>;
  return {
    ...(typeof identity === 'string' ? { identity } : {}),
    ...(typeof type === 'string' ? { type } : {}),
    value: maskIdentifier(String(type), typeof value === 'string' ? value : ''),
    ...(verified === true ? { verified } : {}),
    ...(blocked === true ? { blocked } : {}),
  };
};
