import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { resolve } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTHeaderParameters, type JWTPayload } from 'jose';
import { SystemClock } from '#libs/kernel';
import { silentLogger } from '#libs/kernel/logging.js';
import { OidcBearerTokens } from './oidc.bearer-tokens.js';
import type { OidcOptions } from './oidc.config.js';

const AUDIENCE = 'https://hilo.example';

const optionsFor = (issuer: string): OidcOptions => ({
  issuer,
  audience: AUDIENCE,
  algorithms: ['RS256', 'ES256'],
  tenantClaim: 'tenant',
  rolesClaim: 'realm.roles',
  scopesClaim: 'scope',
  maxTokenAgeSeconds: 900,
});

const tokensOf = (options: OidcOptions, clock = new SystemClock()) =>
  new OidcBearerTokens(options, clock, silentLogger());

describe('tokens of a real OpenID provider', () => {
  const clients = {
    mika: { tenant: 'acme', realm: { roles: ['agent', 'cook'] } },
    ana: { tenant: 'acme', realm: { roles: ['analyst'] } },
    lost: { realm: { roles: ['admin'] } },
    odd: { tenant: 'a|b', realm: { roles: ['admin'] } },
  };
  const running: ChildProcess[] = [];
  let issuer: string;

  const startProvider = (port: number): Promise<string> =>
    new Promise((started, failed) => {
      const child = spawn(process.execPath, [resolve('test/oidc/provider.mjs'), JSON.stringify(clients), `${port}`], {
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      running.push(child);
      let complaints = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
      child.stdout.setEncoding('utf8').once('data', (text: string) => started(text.trim()));
      child.once('exit', (code) => failed(new Error(`the provider ended with ${code}: ${complaints}`)));
    });

  const stopProviders = async () => {
    for (const child of running.splice(0)) {
      const gone = new Promise((ended) => child.once('exit', ended));
      child.stdin?.end();
      await gone;
    }
  };

  const tokenOf = async (client: keyof typeof clients, audience = AUDIENCE, scope?: string): Promise<string> => {
    const answer = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${client}:secret`).toString('base64')}` },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        resource: audience,
        ...(scope === undefined ? {} : { scope }),
      }),
    });
    const { access_token: token } = (await answer.json()) as { access_token?: string };
    if (token === undefined) throw new Error(`no token for ${client}: ${answer.status}`);
    return token;
  };

  beforeAll(async () => {
    issuer = await startProvider(0);
  });
  afterAll(stopProviders);

  it('tell who is calling, for which tenant, in which roles', async () => {
    const tokens = tokensOf(optionsFor(issuer));
    const token = await tokenOf('mika');
    const caller = { tenant: 'acme', roles: ['agent'], pii: true, keyId: 'user:mika' };
    expect(await tokens.verify(token)).toEqual(caller);
    // By now it is remembered, and nobody waits.
    expect(tokens.verify(token)).toEqual(caller);
  });

  it('show personal data to analysts only where they have the scope', async () => {
    const tokens = tokensOf(optionsFor(issuer));
    expect(await tokens.verify(await tokenOf('ana'))).toMatchObject({ roles: ['analyst'], pii: false });
    expect(await tokens.verify(await tokenOf('ana', AUDIENCE, 'pii'))).toMatchObject({ pii: true });
  });

  it('are refused for another audience, for another issuer, and without a tenant', async () => {
    const tokens = tokensOf(optionsFor(issuer));
    expect(await tokens.verify(await tokenOf('mika', 'https://elsewhere.example'))).toBeUndefined();
    expect(await tokens.verify(await tokenOf('lost'))).toBeUndefined();
    expect(await tokens.verify(await tokenOf('odd'))).toBeUndefined();
    const elsewhere = { ...optionsFor('http://127.0.0.1:9'), jwksUrl: `${issuer}/jwks` };
    expect(await tokensOf(elsewhere).verify(await tokenOf('mika'))).toBeUndefined();
  });

  it('are taken from new keys, and refused from old ones, once the provider has changed them', async () => {
    const tokens = tokensOf(optionsFor(issuer));
    const before = await tokenOf('mika');
    expect(await tokens.verify(before)).toBeDefined();
    const { port } = new URL(issuer);
    await stopProviders();
    expect(await startProvider(Number(port))).toBe(issuer);
    const after = await tokenOf('mika');
    // An unknown key is asked for again, at most every 30 s: this hub has asked a moment ago.
    expect(await tokens.verify(after)).toBeUndefined();
    const fresh = tokensOf(optionsFor(issuer));
    expect(await fresh.verify(after)).toBeDefined();
    expect(await fresh.verify(before)).toBeUndefined();
  });

  it('are refused, not waited for, while the provider is down', async () => {
    const token = await tokenOf('mika');
    await stopProviders();
    const tokens = tokensOf(optionsFor(issuer));
    expect(await tokens.verify(token)).toBeUndefined();
    issuer = await startProvider(Number(new URL(issuer).port));
  });
});

describe('tokens that somebody has made up', () => {
  let server: Server;
  let issuer: string;
  let asked = 0;
  let key: CryptoKey;
  const SECONDS = Math.floor(Date.now() / 1000);
  const good: JWTPayload = { tenant: 'acme', realm: { roles: ['agent'] }, aud: AUDIENCE, sub: 'mika' };
  const whole = (): JWTPayload => ({ ...good, iss: issuer, iat: SECONDS, exp: SECONDS + 600 });

  beforeAll(async () => {
    const pair = await generateKeyPair('RS256');
    key = pair.privateKey;
    const keys = JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k', alg: 'RS256' }] });
    server = createServer((request, response) => {
      asked += 1;
      if (request.url === '/keys') response.end(keys);
      else if (request.url === '/moved') response.writeHead(302, { location: '/keys' }).end();
      else if (request.url === '/large') response.end(`${' '.repeat(600_000)}${keys}`);
      else if (request.url === '/nonsense') response.end('<html>');
      else response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/keys` }));
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    issuer = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  });
  afterAll(() => new Promise((closed) => server.close(closed)));

  const sign = (payload: JWTPayload, header: Partial<JWTHeaderParameters> = {}, by: CryptoKey | Uint8Array = key) =>
    new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: 'k', ...header }).sign(by);

  it('would be taken if they were right', async () => {
    expect(await tokensOf(optionsFor(issuer)).verify(await sign(whole()))).toMatchObject({ keyId: 'user:mika' });
    expect(await tokensOf(optionsFor(issuer)).verify(await sign({ ...whole(), realm: {} }))).toMatchObject({
      roles: [],
      pii: false,
    });
  });

  it.each<[string, (payload: JWTPayload) => JWTPayload]>([
    ['no expiry', ({ exp: _, ...rest }) => rest],
    ['no subject', ({ sub: _, ...rest }) => rest],
    ['an empty subject', (rest) => ({ ...rest, sub: '' })],
    ['no audience', ({ aud: _, ...rest }) => rest],
    ['no time of issue', ({ iat: _, ...rest }) => rest],
    ['an expiry that is over', (rest) => ({ ...rest, exp: SECONDS - 60 })],
    ['an issue too long ago', (rest) => ({ ...rest, iat: SECONDS - 1000 })],
    ['an issue in the future', (rest) => ({ ...rest, iat: SECONDS + 1000, exp: SECONDS + 2000 })],
    ['a begin in the future', (rest) => ({ ...rest, nbf: SECONDS + 600 })],
    ['an issuer with a slash more', (rest) => ({ ...rest, iss: `${issuer}/` })],
    ['a tenant that is a list', (rest) => ({ ...rest, tenant: ['acme'] })],
  ])('are refused with %s', async (_, change) => {
    expect(await tokensOf(optionsFor(issuer)).verify(await sign(change(whole())))).toBeUndefined();
  });

  it('are refused with another key, a shared secret, no signature, or a key brought along', async () => {
    const other = await generateKeyPair('RS256');
    const jwk = await exportJWK(other.publicKey);
    const made = [
      await sign(whole(), {}, other.privateKey),
      await sign(whole(), { jwk }, other.privateKey),
      await sign(whole(), { jwk }),
      await sign(whole(), { jku: `${issuer}/keys` }),
      await sign(whole(), { alg: 'HS256' }, Buffer.alloc(32)),
      await sign(whole(), { typ: 'logout+jwt' }),
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(whole())).toString('base64url')}.`,
    ];
    for (const token of made) expect(await tokensOf(optionsFor(issuer)).verify(token)).toBeUndefined();
  });

  it('are refused without a word to the provider where they are no tokens at all', async () => {
    const before = asked;
    for (const text of ['', 'a.b.c', '..', 'hello', `${'a'.repeat(9000)}.b.c`])
      expect(await tokensOf(optionsFor(issuer)).verify(text)).toBeUndefined();
    expect(asked).toBe(before);
  });

  it.each(['/moved', '/large', '/nonsense', '/missing'])(
    'are refused, and the provider spared, where the keys are %s',
    async (path) => {
      const tokens = tokensOf({ ...optionsFor(issuer), jwksUrl: `${issuer}${path}` });
      const token = await sign(whole());
      expect(await tokens.verify(token)).toBeUndefined();
      const before = asked;
      for (let i = 0; i < 20; i++)
        expect(await tokens.verify(await sign({ ...whole(), jti: String(i) }))).toBeUndefined();
      expect(asked).toBe(before);
    },
  );

  it('asks for the keys once, whatever the number of tokens', async () => {
    const tokens = tokensOf(optionsFor(issuer));
    const before = asked;
    const many = await Promise.all(Array.from({ length: 20 }, async (_, i) => sign({ ...whole(), sub: `u${i}` })));
    const callers = await Promise.all(many.map(async (token) => tokens.verify(token)));
    expect(callers.map((caller) => caller?.keyId)).toEqual(many.map((_, i) => `user:u${i}`));
    expect(asked - before).toBe(2);
  });
});
