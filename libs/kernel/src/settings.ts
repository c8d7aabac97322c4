import { HubError } from './errors.js';
import {
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
  classValidator,
  plainlyValid,
} from './late-validator.js';

/** What a program reads from its environment, once, at start. Each field is documented with unit, bounds and default. */
export class HubSettings {
  /** Directory of the embedded engines' files; created when missing. `HILO_DATA_DIR`, default `./data`. */
  @IsString()
  dataDir = './data';

  /** TCP port of the HTTP API, 0 for any free one. `HILO_PORT`, default 3000. */
  @IsInt()
  @Min(0)
  @Max(65535)
  port = 3000;

  /** Address the listeners bind to. `HILO_HOST`, default `127.0.0.1`. */
  @IsString()
  host = '127.0.0.1';

  /** TCP port of the SMTP listener, 0 for any free one; unset: no listener. `HILO_SMTP_PORT`. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(65535)
  smtpPort?: number;

  /** YAML file that declares the accounts (inboxes, numbers, pages). Unset: none. `HILO_ACCOUNTS_FILE`. */
  @IsOptional()
  @IsString()
  accountsFile?: string;

  /** Public base URL that providers sign, for example `https://hub.example.com`; default: the address listened on. `HILO_PUBLIC_URL`. */
  @IsOptional()
  @Matches(/^https?:\/\/[^\s/]+(\/[^\s]*)?$/)
  publicUrl?: string;

  /** Country of phone numbers in national form where neither account nor tenant names one, ISO 3166-1 alpha-2. `HILO_DEFAULT_COUNTRY`, unset: such numbers stay as given. */
  @IsOptional()
  @Matches(/^[A-Z]{2}$/)
  defaultCountry?: string;

  /** Bus engine: `embedded:`. `HILO_BUS_URL`. */
  @IsString()
  busUrl = 'embedded:';

  /** Event store engine: `sqlite:` (in the data directory) or `memory:`. `HILO_EVENT_STORE_URL`. */
  @IsString()
  eventStoreUrl = 'sqlite:';

  /** Read model engine: `sqlite:` (in the data directory). `HILO_READ_MODEL_URL`. */
  @IsString()
  readModelUrl = 'sqlite:';

  /** Smallest level logged. `HILO_LOG_LEVEL`, default `warn`. */
  @IsIn(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
  logLevel = 'warn';

  /** Contacts waiting for the recorder before the edge answers 503, 100 to 1000000. `HILO_BUS_CAPACITY`, default 20000. */
  @IsInt()
  @Min(100)
  @Max(1_000_000)
  busCapacity = 20_000;

  /** Requests a second one API key may make before 429, 1 to 1000000; unset: no quota. `HILO_RATE_LIMIT`. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  rateLimit?: number;
}

const variables: Record<keyof HubSettings, string> = {
  dataDir: 'HILO_DATA_DIR',
  port: 'HILO_PORT',
  host: 'HILO_HOST',
  smtpPort: 'HILO_SMTP_PORT',
  accountsFile: 'HILO_ACCOUNTS_FILE',
  publicUrl: 'HILO_PUBLIC_URL',
  defaultCountry: 'HILO_DEFAULT_COUNTRY',
  busUrl: 'HILO_BUS_URL',
  eventStoreUrl: 'HILO_EVENT_STORE_URL',
  readModelUrl: 'HILO_READ_MODEL_URL',
  logLevel: 'HILO_LOG_LEVEL',
  busCapacity: 'HILO_BUS_CAPACITY',
  rateLimit: 'HILO_RATE_LIMIT',
};

const numeric: ReadonlySet<string> = new Set(['port', 'smtpPort', 'busCapacity', 'rateLimit']);

/**
 * The settings in an environment. An unset or empty variable takes its default.
 * @throws HubError `SETTINGS.INVALID`, one line per wrong variable, by name.
 */
export const readSettings = (env: Readonly<Record<string, string | undefined>>): HubSettings => {
  const given: Record<string, unknown> = {};
  for (const [field, variable] of Object.entries(variables)) {
    const text = env[variable];
    if (text !== undefined && text !== '') given[field] = numeric.has(field) ? Number(text) : text;
  }
  const settings = Object.assign(new HubSettings(), given);
  if (plainlyValid(settings)) return settings;
  const problems = classValidator()
    .validateSync(settings, { validationError: { target: false } })
    .map((e) => `${variables[e.property as keyof HubSettings]}: ${Object.values(e.constraints ?? {}).join('; ')}`);
  if (problems.length > 0) throw new HubError('SETTINGS.INVALID', problems.join('\n'));
  return settings;
};
