import { createHash } from 'node:crypto';
import type { AttributeValue } from '#libs/kernel';
import type { ParsedInteraction } from '../channel-adapter.port.js';

const maxIdLength = 512;

export const sha256 = (...parts: (string | Buffer)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\u0000');
  return hash.digest('hex');
};

/** A provider id short enough to carry; a longer one is named by its digest. */
export const boundedId = (id: string): string => (id.length > maxIdLength ? `sha256:${sha256(id)}` : id);

const present = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;

/** What an adapter knows of a contact; the key follows from it and absent fields are left out. */
export const contactOf = (draft: Omit<ParsedInteraction, 'dedupeKey'>): ParsedInteraction => {
  const externalId = boundedId(draft.externalId);
  const customer = draft.customer && present(draft.customer);
  const named = customer && (customer.name !== undefined || (customer.identifiers?.length ?? 0) > 0);
  return present({
    ...draft,
    externalId,
    threadId: draft.threadId === undefined ? undefined : boundedId(draft.threadId),
    customer: named ? customer : undefined,
    attachments:
      draft.attachments && draft.attachments.length > 0 ? draft.attachments.slice(0, 100).map(present) : undefined,
    dedupeKey: `${draft.channel}:${draft.account}:${externalId}`,
  });
};

/** Bytes of an object's scalars that `flatten` keeps. */
const flatBudgetBytes = 12 * 1024;

/**
 * A nested vendor object as flat attributes, `a.b.0.c` naming the place, at most 200 entries and 12 KiB; what does not
 * fit is counted under `<prefix>omitted`.
 */
export const flatten = (prefix: string, value: unknown): Record<string, AttributeValue> => {
  const flat: [string, AttributeValue][] = [];
  let [bytes, omitted] = [0, 0];
  const walk = (path: string, v: unknown): void => {
    if (v === null || v === undefined || v === '') return;
    if (typeof v === 'object') {
      for (const [key, inner] of Object.entries(v)) walk(path === '' ? key : `${path}.${key}`, inner);
    } else if (typeof v === 'string' || typeof v === 'number' || typeof v === 'boolean') {
      const key = `${prefix}${path}`.replace(/\s+/g, ' ').slice(0, 200).toWellFormed();
      const kept = typeof v === 'string' ? v.toWellFormed().replaceAll('\u0000', '') : v;
      const size = Buffer.byteLength(key) + Buffer.byteLength(JSON.stringify(kept)) + 4;
      if (flat.length >= 200 || bytes + size > flatBudgetBytes) omitted++;
      else {
        bytes += size;
        flat.push([key, kept]);
      }
    }
  };
  walk('', value);
  if (omitted > 0) flat.push([`${prefix}omitted`, omitted]);
  return Object.fromEntries(flat);
};
