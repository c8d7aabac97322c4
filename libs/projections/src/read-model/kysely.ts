import type * as KyselyPackage from 'kysely';
import { latePackage } from '#libs/kernel/late-package.js';

/**
 * Kysely, loaded when the first query or statement is built: the hub's main thread answers none while it starts. As
 * CommonJS its 260 files load faster and take 5 MB less than as modules of their own.
 */
export const kysely = latePackage<typeof KyselyPackage>('kysely');
