import type { ApiKeys, BearerTokens } from '#libs/access';
import type { InteractionBus } from '#libs/bus';
import type { DeclaredAccountDirectory } from '#libs/channels/accounts/declared.account-directory.js';
import type { IdentityRules } from '#libs/domain';
import type { Clock } from '#libs/kernel';
import type { HubSettings } from '#libs/kernel/settings.js';
import type { Tracing } from '#libs/kernel/tracing/tracing.port.js';
import type { Logger } from '#libs/kernel/logging.js';
import type { SealedEventStoreSet } from '#libs/privacy/open-sealed-event-store.js';
import type { ProjectionProgress, ReadModel } from '#libs/projections';
import type { DeletedRows } from '#libs/projections/read-model/read-model-home.port.js';
import type { BesideLog } from './open-cluster.js';

/** The engines and values that all rooms share, opened before Nest starts and closed after it has stopped. */
export interface HubParts {
  settings: HubSettings;
  logger: Logger;
  clock: Clock;
  log: SealedEventStoreSet;
  bus: InteractionBus;
  readModel: ReadModel;
  /** What holds deleted rows beside the files of the data directory. */
  deletedRows: readonly DeletedRows[];
  progress: ProjectionProgress;
  keys: ApiKeys;
  /** Absent where the settings name no OpenID provider. */
  tokens?: BearerTokens;
  accounts: DeclaredAccountDirectory;
  rules: IdentityRules;
  /** Absent where nobody collects traces. */
  tracing?: Tracing;
}

/** What each program of the line has; a part of the line lacks some engines. */
export type ProgramParts<Log extends BesideLog = SealedEventStoreSet> = Pick<
  HubParts,
  'settings' | 'logger' | 'clock' | 'keys' | 'tokens' | 'accounts' | 'tracing'
> &
  Partial<Pick<HubParts, 'bus' | 'readModel' | 'progress' | 'rules'>> & { log: Log };
