import fc from 'fast-check';
import { classValidator, plainlyValid } from './late-validator.js';
import { HubSettings, readSettings } from './settings.js';

describe('settings', () => {
  it('takes defaults for what is unset or empty', () => {
    expect(readSettings({ HILO_PORT: '', HILO_LOG_LEVEL: 'error', HILO_SMTP_PORT: '2525' })).toEqual(
      Object.assign(new HubSettings(), { logLevel: 'error', smtpPort: 2525 }),
    );
  });

  it('names every wrong variable, and what it should be', () => {
    expect(() =>
      readSettings({ HILO_PORT: '70000', HILO_LOG_LEVEL: 'loud', HILO_DEFAULT_COUNTRY: 'usa', HILO_RATE_LIMIT: '1.5' }),
    ).toThrow(
      [
        'HILO_PORT: port must not be greater than 65535',
        'HILO_DEFAULT_COUNTRY: defaultCountry must match /^[A-Z]{2}$/ regular expression',
        'HILO_LOG_LEVEL: logLevel must be one of the following values: trace, debug, info, warn, error, fatal, silent',
        'HILO_RATE_LIMIT: rateLimit must be an integer number',
      ].join('\n'),
    );
  });

  it('takes a pepper of 32 bytes in base64 alone', () => {
    const pepper = Buffer.alloc(32, 9).toString('base64');
    expect(readSettings({ HILO_PEPPER: pepper }).pepper).toBe(pepper);
    for (const HILO_PEPPER of ['short', Buffer.alloc(31).toString('base64'), `${pepper} `])
      expect(() => readSettings({ HILO_PEPPER })).toThrow(/^HILO_PEPPER: must be 32 random bytes in base64/);
  });

  it('are plainly valid exactly when class-validator finds nothing wrong', () => {
    const fields = Object.keys(Object.assign(new HubSettings(), { smtpPort: 1, accountsFile: '', rateLimit: 1 }));
    const values = fc.oneof(
      fc.constantFrom<unknown>(-1, 0, 99, 100, 65_535, 65_536, 1e6, 1e6 + 1, 1.5, Number.NaN, 'warn', 'US', 'us', true),
      fc.webUrl(),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...fields, 'publicUrl', 'defaultCountry'), values), (given) => {
        const settings = Object.assign(new HubSettings(), given);
        expect(plainlyValid(settings)).toBe(classValidator().validateSync(settings).length === 0);
      }),
    );
  });
});

const problemsOf = (env: Record<string, string>): string => {
  try {
    readSettings(env);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('the settings of an OpenID provider', () => {
  const whole = { HILO_OIDC_ISSUER: 'https://login.example.com/realms/a', HILO_OIDC_AUDIENCE: 'hilo' };

  it('need issuer and audience, and have safe defaults for the rest', () => {
    expect(readSettings(whole)).toMatchObject({
      oidcIssuer: whole.HILO_OIDC_ISSUER,
      oidcAudience: 'hilo',
      oidcAlgorithms: 'RS256,PS256,ES256,EdDSA',
      oidcTenantClaim: 'tenant',
      oidcRolesClaim: 'roles',
      oidcMaxTokenAgeSeconds: 900,
    });
    expect(readSettings({}).oidcIssuer).toBeUndefined();
  });

  it.each<[string, Record<string, string>]>([
    ['HILO_OIDC_AUDIENCE', { HILO_OIDC_ISSUER: whole.HILO_OIDC_ISSUER }],
    ['HILO_OIDC_ISSUER', { HILO_OIDC_AUDIENCE: 'hilo' }],
    ['HILO_OIDC_ISSUER', { ...whole, HILO_OIDC_ISSUER: 'http://login.example.com' }],
    ['HILO_OIDC_ISSUER', { ...whole, HILO_OIDC_ISSUER: 'http://localhost.example.com' }],
    ['HILO_OIDC_JWKS_URL', { ...whole, HILO_OIDC_JWKS_URL: 'file:///keys' }],
    ['HILO_OIDC_ALGORITHMS', { ...whole, HILO_OIDC_ALGORITHMS: 'RS256,none' }],
    ['HILO_OIDC_ALGORITHMS', { ...whole, HILO_OIDC_ALGORITHMS: 'HS256' }],
    ['HILO_OIDC_MAX_TOKEN_AGE', { ...whole, HILO_OIDC_MAX_TOKEN_AGE: '1h' }],
    ['HILO_REASON_TENANTS', { HILO_REASON_TENANTS: 'acme, globex' }],
  ])('names %s where it is wrong', (variable, env) =>
    expect(problemsOf(env)).toMatch(new RegExp(`^${variable}: [^\\n]+$`)),
  );

  it('may be on this machine without TLS', () => {
    expect(problemsOf({ ...whole, HILO_OIDC_ISSUER: 'http://127.0.0.1:4000' })).toBe('');
  });
});

describe('the settings of Kafka', () => {
  it('keep three copies, need two of them, and forget after a week', () => {
    expect(readSettings({ HILO_BUS_URL: 'kafka://a:9092' })).toMatchObject({
      kafkaReplication: 3,
      kafkaMinInsync: 2,
      kafkaRetentionHours: 168,
      kafkaTls: 'false',
    });
  });

  it.each<[string, Record<string, string>]>([
    ['HILO_KAFKA_MIN_INSYNC', { HILO_KAFKA_REPLICATION: '1' }],
    ['HILO_KAFKA_TOPIC_PREFIX', { HILO_KAFKA_TOPIC_PREFIX: 'a b' }],
    ['HILO_KAFKA_TENANTS', { HILO_KAFKA_TENANTS: 'acme, globex' }],
    ['HILO_KAFKA_RETENTION_HOURS', { HILO_KAFKA_RETENTION_HOURS: '0' }],
    ['HILO_KAFKA_SASL', { HILO_KAFKA_SASL: 'gssapi', HILO_KAFKA_USERNAME: 'a', HILO_KAFKA_PASSWORD: 'b' }],
    ['HILO_KAFKA_PASSWORD', { HILO_KAFKA_SASL: 'plain', HILO_KAFKA_USERNAME: 'a' }],
    ['HILO_KAFKA_USERNAME', { HILO_KAFKA_USERNAME: 'a' }],
    ['HILO_KAFKA_CERT_FILE', { HILO_KAFKA_TLS: 'true', HILO_KAFKA_KEY_FILE: 'k.pem' }],
    ['HILO_KAFKA_CA_FILE', { HILO_KAFKA_CA_FILE: 'ca.pem' }],
    ['HILO_KAFKA_TLS', { HILO_KAFKA_TLS: 'yes' }],
  ])('names %s where it is wrong', (variable, env) =>
    expect(problemsOf(env)).toMatch(new RegExp(`^${variable}: [^\\n]+$`)),
  );
});
