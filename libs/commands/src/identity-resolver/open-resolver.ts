import { rmSync } from 'node:fs';
import type { Position } from '#libs/event-store';
import { IdentityResolver, type IdentityResolverOptions } from './identity-resolver.js';

/**
 * Opens a resolver for a log that ends at `head`. A file that knows more belongs to a log that was put back to an older
 * state since: it is removed, and filled from the log again.
 */
export const openResolver = async (options: IdentityResolverOptions, head: Position): Promise<IdentityResolver> => {
  const resolver = IdentityResolver.open(options);
  if ((await resolver.checkpoint()) <= head) return resolver;
  await resolver.close();
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(options.file + suffix, { force: true });
  return IdentityResolver.open(options);
};
