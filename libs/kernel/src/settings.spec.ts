import { readSettings } from './settings.js';

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
