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

/** Plain HTTP reaches this machine alone. */
const SAFE_URL = /^(https:\/\/[^\s/?#]+|http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?)(\/[^\s?#]*)?$/;
const SIGNATURES = '(RS256|RS384|RS512|PS256|PS384|PS512|ES256|ES384|ES512|EdDSA)';
const TENANT = '[A-Za-z0-9][A-Za-z0-9._-]*';
const TENANTS = `${TENANT}(,${TENANT})*`;
const BASE64_KEY = /^[A-Za-z0-9+/]{43}=$/;
const KEY_FORM = 'must be 32 random bytes in base64, 44 characters; make one with: openssl rand -base64 32';

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

  /** YAML file with the rules of who is who. Unset: the built-in ones. `HILO_IDENTITY_RULES_FILE`. */
  @IsOptional()
  @IsString()
  identityRulesFile?: string;

  /** Public base URL that providers sign, for example `https://hub.example.com`; default: the address listened on. `HILO_PUBLIC_URL`. */
  @IsOptional()
  @Matches(/^https?:\/\/[^\s/]+(\/[^\s]*)?$/)
  publicUrl?: string;

  /** Country of phone numbers in national form where neither account nor tenant names one, ISO 3166-1 alpha-2. `HILO_DEFAULT_COUNTRY`, unset: such numbers stay as given. */
  @IsOptional()
  @Matches(/^[A-Z]{2}$/)
  defaultCountry?: string;

  /** Bus engine: `embedded:` or `kafka://host:port,host:port`. `HILO_BUS_URL`. */
  @IsString()
  busUrl = 'embedded:';

  /** First part of the names of Kafka topics and consumer group. `HILO_KAFKA_TOPIC_PREFIX`, default `hilo`. */
  @Matches(/^[A-Za-z0-9._-]{1,100}$/, { message: 'has 1 to 100 letters, digits, dots, dashes and underscores' })
  kafkaTopicPrefix = 'hilo';

  /** Tenants, comma-separated, that have a topic for CloudEvents of other producers. `HILO_KAFKA_TENANTS`, unset: none. */
  @IsOptional()
  @Matches(new RegExp(`^${TENANTS}$`), { message: 'is a comma-separated list of tenants' })
  kafkaTenants?: string;

  /** Partitions of a new topic, 1 to 1000. `HILO_KAFKA_PARTITIONS`, default 12. */
  @IsInt()
  @Min(1)
  @Max(1000)
  kafkaPartitions = 12;

  /** Brokers that keep a copy of a new topic, 1 to 15. `HILO_KAFKA_REPLICATION`, default 3. */
  @IsInt()
  @Min(1)
  @Max(15)
  kafkaReplication = 3;

  /** Copies that must exist before a message counts as durable, 1 to 15. `HILO_KAFKA_MIN_INSYNC`, default 2. */
  @IsInt()
  @Min(1)
  @Max(15)
  kafkaMinInsync = 2;

  /** Hours for which topics keep a message, 1 to 8760; their seal keys end a day or two later. `HILO_KAFKA_RETENTION_HOURS`, default 168. */
  @IsInt()
  @Min(1)
  @Max(8760)
  kafkaRetentionHours = 168;

  /** Milliseconds after which a publish that no broker has acknowledged is refused, 100 to 120000. `HILO_KAFKA_SEND_DEADLINE_MS`, default 10000. */
  @IsInt()
  @Min(100)
  @Max(120_000)
  kafkaSendDeadlineMs = 10_000;

  /** Seconds after which the partitions of a recorder that has died go to another, 6 to 300. `HILO_KAFKA_SESSION_SECONDS`, default 45. */
  @IsInt()
  @Min(6)
  @Max(300)
  kafkaSessionSeconds = 45;

  /**
   * Shards that the tenants are divided into, 1 to 64: projectors share them out, each leads some and stands by for the
   * others. All projectors have the same. `HILO_PROJECTOR_SHARDS`, default 1.
   */
  @IsInt()
  @Min(1)
  @Max(64)
  projectorShards = 1;

  /** Speak TLS to the brokers: `true` or `false`. `HILO_KAFKA_TLS`, default `false`. */
  @IsIn(['true', 'false'])
  kafkaTls = 'false';

  /** PEM file of the authorities that sign the brokers' certificates; unset: those that Node brings. `HILO_KAFKA_CA_FILE`. */
  @IsOptional()
  @IsString()
  kafkaCaFile?: string;

  /** PEM file of our certificate, where brokers ask for one. `HILO_KAFKA_CERT_FILE`. */
  @IsOptional()
  @IsString()
  kafkaCertFile?: string;

  /** PEM file of its private key. `HILO_KAFKA_KEY_FILE`. */
  @IsOptional()
  @IsString()
  kafkaKeyFile?: string;

  /** How we log in: `plain`, `scram-sha-256` or `scram-sha-512`; unset: not at all. `HILO_KAFKA_SASL`. */
  @IsOptional()
  @IsIn(['plain', 'scram-sha-256', 'scram-sha-512'])
  kafkaSasl?: 'plain' | 'scram-sha-256' | 'scram-sha-512';

  /** `HILO_KAFKA_USERNAME`. */
  @IsOptional()
  @IsString()
  kafkaUsername?: string;

  /** `HILO_KAFKA_PASSWORD`. */
  @IsOptional()
  @IsString()
  kafkaPassword?: string;

  /** Event store engine: `sqlite:` (in the data directory), `memory:` or `esdb://user:password@host:2113,…`. `HILO_EVENT_STORE_URL`. */
  @IsString()
  eventStoreUrl = 'sqlite:';

  /** The secret under which all ids are derived, base64 of 32 random bytes; needed with `esdb://`, of one log the same for ever. The embedded engines keep their own. `HILO_PEPPER`. */
  @IsOptional()
  @Matches(BASE64_KEY, { message: KEY_FORM })
  pepper?: string;

  /** Read model engine: `sqlite:` (in the data directory) or `postgres://user:password@host/database`. `HILO_READ_MODEL_URL`. */
  @IsString()
  readModelUrl = 'sqlite:';

  /** The master key that wraps all data keys, base64 of 32 random bytes; unset: `master.key` in the data directory. `HILO_MASTER_KEY`. */
  @IsOptional()
  @Matches(BASE64_KEY, { message: KEY_FORM })
  masterKey?: string;

  /** While the master key is changed: the next one, in the same form. `HILO_NEXT_MASTER_KEY`. */
  @IsOptional()
  @Matches(BASE64_KEY, { message: KEY_FORM })
  nextMasterKey?: string;

  /** Smallest level logged. `HILO_LOG_LEVEL`, default `warn`. */
  @IsIn(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
  logLevel = 'warn';

  /** Contacts waiting for the recorder before the edge answers 503, 100 to 1000000. `HILO_BUS_CAPACITY`, default 20000. */
  @IsInt()
  @Min(100)
  @Max(1_000_000)
  busCapacity = 20_000;

  /** Requests a second one caller may make before 429, 1 to 1000000; unset: no quota. `HILO_RATE_LIMIT`. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  rateLimit?: number;

  /** Issuer of OpenID Connect tokens, exactly as they name it; unset: API keys alone. `HILO_OIDC_ISSUER`. */
  @IsOptional()
  @Matches(SAFE_URL, { message: 'is the https address of the issuer (http on this machine alone)' })
  oidcIssuer?: string;

  /** Audience that tokens must be for; needed with an issuer. `HILO_OIDC_AUDIENCE`. */
  @IsOptional()
  @Matches(/^\S{1,500}$/, { message: 'has 1 to 500 characters and no spaces' })
  oidcAudience?: string;

  /** Where the issuer's keys are; default: what its discovery document says. `HILO_OIDC_JWKS_URL`. */
  @IsOptional()
  @Matches(SAFE_URL, { message: 'is an https address (http on this machine alone)' })
  oidcJwksUrl?: string;

  /** Accepted signatures, comma-separated; none with a shared secret. `HILO_OIDC_ALGORITHMS`. */
  @Matches(new RegExp(`^${SIGNATURES}(,${SIGNATURES})*$`), {
    message: 'is a comma-separated list of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA',
  })
  oidcAlgorithms = 'RS256,PS256,ES256,EdDSA';

  /** Claim that names the tenant; a path with dots leads into objects. `HILO_OIDC_TENANT_CLAIM`, default `tenant`. */
  @Matches(/^\S{1,200}$/)
  oidcTenantClaim = 'tenant';

  /** Claim that lists the roles. `HILO_OIDC_ROLES_CLAIM`, default `roles`. */
  @Matches(/^\S{1,200}$/)
  oidcRolesClaim = 'roles';

  /** Claim that lists the scopes. `HILO_OIDC_SCOPES_CLAIM`, default `scope`. */
  @Matches(/^\S{1,200}$/)
  oidcScopesClaim = 'scope';

  /** Seconds after its issue for which a token is taken, 60 to 86400, whatever its expiry. `HILO_OIDC_MAX_TOKEN_AGE`, default 900. */
  @IsInt()
  @Min(60)
  @Max(86_400)
  oidcMaxTokenAgeSeconds = 900;

  /** Tenants, comma-separated or `*`, where whoever opens a customer must say why (`Hilo-Reason`). `HILO_REASON_TENANTS`, unset: none. */
  @IsOptional()
  @Matches(new RegExp(`^(\\*|${TENANTS})$`), {
    message: 'is a comma-separated list of tenants, or *',
  })
  reasonTenants?: string;
}

const variables: Record<keyof HubSettings, string> = {
  dataDir: 'HILO_DATA_DIR',
  port: 'HILO_PORT',
  host: 'HILO_HOST',
  smtpPort: 'HILO_SMTP_PORT',
  accountsFile: 'HILO_ACCOUNTS_FILE',
  identityRulesFile: 'HILO_IDENTITY_RULES_FILE',
  publicUrl: 'HILO_PUBLIC_URL',
  defaultCountry: 'HILO_DEFAULT_COUNTRY',
  busUrl: 'HILO_BUS_URL',
  kafkaTopicPrefix: 'HILO_KAFKA_TOPIC_PREFIX',
  kafkaTenants: 'HILO_KAFKA_TENANTS',
  kafkaPartitions: 'HILO_KAFKA_PARTITIONS',
  kafkaReplication: 'HILO_KAFKA_REPLICATION',
  kafkaMinInsync: 'HILO_KAFKA_MIN_INSYNC',
  kafkaRetentionHours: 'HILO_KAFKA_RETENTION_HOURS',
  kafkaSendDeadlineMs: 'HILO_KAFKA_SEND_DEADLINE_MS',
  kafkaSessionSeconds: 'HILO_KAFKA_SESSION_SECONDS',
  projectorShards: 'HILO_PROJECTOR_SHARDS',
  kafkaTls: 'HILO_KAFKA_TLS',
  kafkaCaFile: 'HILO_KAFKA_CA_FILE',
  kafkaCertFile: 'HILO_KAFKA_CERT_FILE',
  kafkaKeyFile: 'HILO_KAFKA_KEY_FILE',
  kafkaSasl: 'HILO_KAFKA_SASL',
  kafkaUsername: 'HILO_KAFKA_USERNAME',
  kafkaPassword: 'HILO_KAFKA_PASSWORD',
  eventStoreUrl: 'HILO_EVENT_STORE_URL',
  pepper: 'HILO_PEPPER',
  readModelUrl: 'HILO_READ_MODEL_URL',
  masterKey: 'HILO_MASTER_KEY',
  nextMasterKey: 'HILO_NEXT_MASTER_KEY',
  logLevel: 'HILO_LOG_LEVEL',
  busCapacity: 'HILO_BUS_CAPACITY',
  rateLimit: 'HILO_RATE_LIMIT',
  oidcIssuer: 'HILO_OIDC_ISSUER',
  oidcAudience: 'HILO_OIDC_AUDIENCE',
  oidcJwksUrl: 'HILO_OIDC_JWKS_URL',
  oidcAlgorithms: 'HILO_OIDC_ALGORITHMS',
  oidcTenantClaim: 'HILO_OIDC_TENANT_CLAIM',
  oidcRolesClaim: 'HILO_OIDC_ROLES_CLAIM',
  oidcScopesClaim: 'HILO_OIDC_SCOPES_CLAIM',
  oidcMaxTokenAgeSeconds: 'HILO_OIDC_MAX_TOKEN_AGE',
  reasonTenants: 'HILO_REASON_TENANTS',
};

const numeric: ReadonlySet<string> = new Set([
  'port',
  'smtpPort',
  'busCapacity',
  'kafkaPartitions',
  'kafkaReplication',
  'kafkaMinInsync',
  'kafkaRetentionHours',
  'kafkaSendDeadlineMs',
  'kafkaSessionSeconds',
  'projectorShards',
  'rateLimit',
  'oidcMaxTokenAgeSeconds',
]);

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
  const problems = [
    ...(plainlyValid(settings) ? [] : explained(settings)),
    ...missingBeside(settings),
    ...kafkaProblems(settings),
  ];
  if (problems.length > 0) throw new HubError('SETTINGS.INVALID', problems.join('\n'));
  return settings;
};

const explained = (settings: HubSettings): string[] =>
  classValidator()
    .validateSync(settings, { validationError: { target: false } })
    .map((e) => `${variables[e.property as keyof HubSettings]}: ${Object.values(e.constraints ?? {}).join('; ')}`);

// An issuer without an audience would take the tokens of every other program of that issuer.
const missingBeside = ({ oidcIssuer, oidcAudience }: HubSettings): string[] => {
  if ((oidcIssuer === undefined) === (oidcAudience === undefined)) return [];
  return oidcIssuer === undefined
    ? [`${variables.oidcIssuer}: is needed with ${variables.oidcAudience}`]
    : [`${variables.oidcAudience}: is needed with ${variables.oidcIssuer}: what tokens for this hub name as "aud"`];
};

const kafkaProblems = ({ kafkaMinInsync, kafkaReplication, ...given }: HubSettings): string[] => {
  const problems: string[] = [];
  if (kafkaMinInsync > kafkaReplication)
    problems.push(
      `${variables.kafkaMinInsync}: is ${kafkaMinInsync}, more than the ${kafkaReplication} of ${variables.kafkaReplication}`,
    );
  for (const field of ['kafkaUsername', 'kafkaPassword'] as const)
    if ((given[field] === undefined) !== (given.kafkaSasl === undefined))
      problems.push(
        given.kafkaSasl === undefined
          ? `${variables[field]}: is used with ${variables.kafkaSasl} only`
          : `${variables[field]}: is needed with ${variables.kafkaSasl}`,
      );
  if ((given.kafkaCertFile === undefined) !== (given.kafkaKeyFile === undefined))
    problems.push(`${variables.kafkaCertFile}: goes with ${variables.kafkaKeyFile}, and neither alone`);
  const tlsOnly = (['kafkaCaFile', 'kafkaCertFile'] as const).filter((field) => given[field] !== undefined);
  if (given.kafkaTls === 'false' && tlsOnly.length > 0)
    problems.push(`${variables[tlsOnly[0]!]}: is used with ${variables.kafkaTls}=true only`);
  return problems;
};
