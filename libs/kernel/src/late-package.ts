import { createRequire } from 'node:module';

/**
 * A CommonJS package that is loaded at the first call. For what only some requests or settings need: each file that a
 * program loads delays its start and stays in its memory.
 */
export const latePackage = <Package>(name: string): (() => Package) => {
  let loaded: Package | undefined;
  return () => (loaded ??= createRequire(import.meta.url)(name) as Package);
};
