import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { HubError, messageOf } from '#libs/kernel';
import { writeDurably } from '#libs/kernel/durable-file.js';
import type { ApiKeys } from './api-keys.port.js';
import { ROLES, type Role } from './caller.js';

/** The tenant of the keys that are made at the very first start. */
export const FIRST_TENANT = 'demo';

/** Tells these keys from those an operator has made, perhaps before the first start. */
const FIRST_LABEL = 'made at the first start';

export interface FirstKeys {
  /** Whether this start made the keys. */
  created: boolean;
  /** Path of `api-keys.json`. */
  file: string;
  /** By tenant and role; undefined once the operator has removed the file. */
  keys?: Record<string, Record<Role, string>>;
}

/**
 * Makes one key per role at the very first start and writes them to `api-keys.json` (mode 0600), so that nobody has to
 * read a manual before the first request. Later starts hand out what the file says. An operator who deletes the file
 * gets no new keys.
 * @throws HubError `ACCESS.INVALID` when the file is not what the hub wrote.
 */
export const ensureFirstKeys = async (dataDir: string, apiKeys: ApiKeys): Promise<FirstKeys> => {
  const file = join(dataDir, 'api-keys.json');
  if (existsSync(file)) return { created: false, file, keys: readKeys(file) };
  const existing = await apiKeys.list();
  const first = existing.filter(({ label, revokedAt }) => label === FIRST_LABEL && revokedAt === undefined);
  const pending = join(dataDir, 'api-keys.pending');
  if (first.length > 0 && !existsSync(pending)) return { created: false, file };
  // An earlier first start ended before anybody could read its keys: nobody has them, so they are made again.
  for (const { id } of first) await apiKeys.revoke(id);
  mkdirSync(dataDir, { recursive: true });
  writeDurably(pending, Buffer.alloc(0));
  const made = {} as Record<Role, string>;
  for (const role of ROLES) made[role] = (await apiKeys.create({ tenant: FIRST_TENANT, role, label: FIRST_LABEL })).key;
  const keys = { [FIRST_TENANT]: made };
  writeDurably(file, Buffer.from(`${JSON.stringify(keys, null, 2)}\n`));
  rmSync(pending, { force: true });
  return { created: true, file, keys };
};

const readKeys = (file: string): FirstKeys['keys'] => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as FirstKeys['keys'];
  } catch (cause) {
    throw new HubError(
      'ACCESS.INVALID',
      `${file} cannot be read (${cause instanceof SyntaxError ? 'not JSON' : messageOf(cause)}); delete it to go on without`,
      {
        cause,
      },
    );
  }
};
