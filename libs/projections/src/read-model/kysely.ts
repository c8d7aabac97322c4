import type * as KyselyPackage from 'kysely';
import { latePackage } from '#libs/kernel/late-package.js';

// As CommonJS its 260 files load faster and take 5 MB less than as modules of their own, in each of the hub's threads.
export const { Kysely, SqliteDialect, sql } = latePackage<typeof KyselyPackage>('kysely')();
