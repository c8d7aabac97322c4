import { Controller, Get, HttpException, Post } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { FixedClock, HubError } from '#libs/kernel';
import { silentLogger } from '#libs/kernel/logging.js';
import { AccessModule } from './access.module.js';
import type { BearerTokens } from './bearer-tokens.port.js';
import { ROLES, CurrentCaller, Public, Roles, type Caller, type Role } from './caller.js';
import { httpOptions } from './http-options.js';
import { SqliteApiKeys } from './sqlite.api-keys.js';

@Controller('things')
@Roles('agent', 'supervisor')
class ThingController {
  @Get('mine')
  mine(@CurrentCaller() caller: Caller) {
    return caller;
  }

  @Get('history')
  @Roles('analyst')
  history() {
    return 'history';
  }

  @Get('open')
  @Public()
  open() {
    return 'open';
  }

  @Get('caller-of-nobody')
  @Public()
  nobody(@CurrentCaller() caller: Caller) {
    return caller;
  }

  @Get('unknown-id')
  unknownId() {
    throw new HubError('CUSTOMER.NOT_FOUND', 'there is no customer 42');
  }

  @Get('broken')
  broken() {
    throw new TypeError('cannot read properties of ana@example.com');
  }

  @Get('teapot')
  teapot() {
    throw new HttpException('short and stout', 418);
  }

  @Post('body')
  body() {
    return 'taken';
  }
}

@Controller('forgotten')
class ForgottenController {
  @Get()
  get() {
    return 'nobody said who may see this';
  }
}

describe('access to a program', () => {
  const clock = new FixedClock(Date.parse('2025-03-02T09:00:00.000Z'));
  let app: NestFastifyApplication;
  let keyOf: Record<Role, string>;

  const start = async (rateLimit?: number, tokens?: BearerTokens) => {
    const keys = SqliteApiKeys.open({ dataDir: ':memory:', clock });
    keyOf = {} as Record<Role, string>;
    for (const role of ROLES) keyOf[role] = (await keys.create({ tenant: 'acme', role })).key;
    const module = await Test.createTestingModule({
      imports: [AccessModule.register({ keys, tokens, logger: silentLogger(), rateLimit, clock })],
      controllers: [ThingController, ForgottenController],
    }).compile();
    app = module.createNestApplication<NestFastifyApplication>(
      new FastifyAdapter({ ...httpOptions(), bodyLimit: 1000 }),
      {
        logger: false,
      },
    );
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
  };
  afterEach(() => app.close());

  const get = (url: string, role?: Role) =>
    app.inject({ method: 'GET', url, headers: role ? { authorization: `Bearer ${keyOf[role]}` } : {} });

  it('lets in the declared roles and admins, and nobody else', async () => {
    await start();
    const statuses = async (url: string) =>
      Object.fromEntries(
        await Promise.all(ROLES.map(async (role) => [role, (await get(url, role)).statusCode] as const)),
      );
    expect(await statuses('/things/mine')).toEqual({
      integration: 403,
      agent: 200,
      supervisor: 200,
      analyst: 403,
      admin: 200,
    });
    expect(await statuses('/things/history')).toEqual({
      integration: 403,
      agent: 403,
      supervisor: 403,
      analyst: 200,
      admin: 200,
    });
  });

  it('takes the tenant from the key', async () => {
    await start();
    expect((await get('/things/mine?tenant=globex', 'agent')).json()).toMatchObject({
      tenant: 'acme',
      roles: ['agent'],
    });
  });

  it('refuses a handler that does not say who may call it, even to admins', async () => {
    await start();
    const answer = await get('/forgotten', 'admin');
    expect(answer.statusCode).toBe(403);
    expect(answer.json()).toMatchObject({ code: 'ACCESS.FORBIDDEN' });
  });

  it('lets in a token with one of the declared roles, and hands over no API key as a token', async () => {
    const seen: string[] = [];
    await start(undefined, {
      verify: (token) => {
        seen.push(token);
        return token === 'good'
          ? { tenant: 'acme', roles: ['analyst', 'agent'], pii: true, keyId: 'user:m' }
          : undefined;
      },
    });
    const by = (token: string) => app.inject({ url: '/things/mine', headers: { authorization: `Bearer ${token}` } });
    expect((await by('good')).json()).toMatchObject({ roles: ['analyst', 'agent'], keyId: 'user:m' });
    expect((await by('bad')).statusCode).toBe(401);
    expect((await get('/things/mine', 'agent')).statusCode).toBe(200);
    expect(seen).toEqual(['good', 'bad']);
  });

  it('asks callers without a good key for one', async () => {
    await start();
    const unknown = `hilo_abcdefgh_${'A'.repeat(43)}`;
    for (const authorization of [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      `Bearer ${unknown}`,
      `Basic ${keyOf.agent}`,
      keyOf.agent,
      `Bearer ${keyOf.agent} x`,
    ]) {
      const answer = await app.inject({
        method: 'GET',
        url: '/things/mine',
        headers: authorization === undefined ? {} : { authorization },
      });
      expect([authorization, answer.statusCode, answer.headers['www-authenticate']]).toEqual([
        authorization,
        401,
        'Bearer',
      ]);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    }
    expect(
      (await app.inject({ url: '/things/mine', headers: { authorization: `bearer  ${keyOf.agent}` } })).statusCode,
    ).toBe(200);
  });

  it('takes no key from the address', async () => {
    await start();
    for (const name of ['token', 'access_token', 'api_key', 'authorization'])
      expect((await get(`/things/mine?${name}=${keyOf.agent}`)).statusCode).toBe(401);
  });

  it('lets everybody into public routes, where nobody is the caller', async () => {
    await start();
    expect((await get('/things/open')).body).toBe('open');
    expect((await get('/things/caller-of-nobody', 'agent')).statusCode).toBe(401);
  });

  it('answers a missing route and an unknown id alike', async () => {
    await start();
    const [route, id] = [await get('/nowhere'), await get('/things/unknown-id', 'agent')];
    const plain = ({ instance: _instance, ...rest }: Record<string, unknown>) => rest;
    expect(plain(route.json())).toEqual(plain(id.json()));
    expect(route.statusCode).toBe(404);
  });

  it('hides what broke, and names the failure', async () => {
    await start();
    const answer = await get('/things/broken', 'agent');
    expect(answer.json()).toMatchObject({
      status: 500,
      code: 'INTERNAL',
      instance: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
    });
    expect(answer.body).not.toMatch(/ana@|properties|TypeError|nest|fastify/i);
    expect((await get('/things/teapot', 'agent')).json()).toMatchObject({ status: 418, detail: 'short and stout' });
  });

  it('gives failures of the server itself the same form', async () => {
    await start();
    const headers = { authorization: `Bearer ${keyOf.agent}` };
    const post = (payload: string, type: string) =>
      app.inject({ method: 'POST', url: '/things/body', headers: { ...headers, 'content-type': type }, payload });
    const answers = [
      await post(`"${'x'.repeat(2000)}"`, 'application/json'),
      await post('{"a"', 'application/json'),
      await post('x', 'nonsense'),
      await get('/things/%ff'),
    ];
    expect(answers.map((answer) => answer.statusCode)).toEqual([413, 400, 415, 400]);
    for (const answer of answers) {
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(answer.body).not.toMatch(/FST_|fastify/i);
    }
  });

  it('holds each key to its quota', async () => {
    await start(2);
    const answers = [
      await get('/things/mine', 'agent'),
      await get('/things/mine', 'agent'),
      await get('/things/mine', 'agent'),
    ];
    expect(answers.map((answer) => answer.statusCode)).toEqual([200, 200, 429]);
    expect(answers[2]!.headers['retry-after']).toBe('1');
    expect((await get('/things/mine', 'supervisor')).statusCode).toBe(200);
    clock.advance(500);
    expect((await get('/things/mine', 'agent')).statusCode).toBe(200);
  });
});
