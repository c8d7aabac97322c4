import { connectionSettingsOf } from './connection-settings.js';

describe('the URL of EventStoreDB', () => {
  const of = (url: string, env = {}) => connectionSettingsOf(url, env);

  it('gives the client its connection string, and keeps the namespace', () => {
    expect(of('esdb://ops:p%40ss@a:2113,b:2113?tlsCAFile=/ca.pem&namespace=acme')).toEqual({
      connectionString: 'esdb://ops:p%40ss@a:2113,b:2113?tlsCAFile=/ca.pem',
      credentials: { username: 'ops', password: 'p@ss' },
      prefix: 'acme_',
      appendsTogether: false,
      shown: 'esdb://a:2113,b:2113 (namespace acme)',
    });
  });

  it('keeps to itself that appends shall travel together', () => {
    expect(of('esdb://a:2113?appends=together&tls=false')).toMatchObject({
      connectionString: 'esdb://a:2113?tls=false',
      appendsTogether: true,
    });
  });

  it('needs no user without TLS, where none is sent', () => {
    expect(of('esdb://localhost:2113?namespace=a&tls=false')).toMatchObject({
      connectionString: 'esdb://localhost:2113?tls=false',
      prefix: 'a_',
    });
    expect(of('esdb+discover://db.example.com:2113/?tls=false')).toMatchObject({ prefix: '' });
  });

  it.each([
    ['esdb://a:2113', 'a user and a password'],
    ['kurrentdb://a:2113?tls=false', 'is not of the form'],
    ['esdb://?tls=false', 'is not of the form'],
    ['esdb://a?tls=false&namespace=A-b', 'namespace'],
    ['esdb://a?tls=false&appends=batch', 'appends can be together'],
    ['esdb://a?tls=false&keepAliveInterval=-1', 'keepAliveInterval'],
    ['esdb://a?tls=false&throwOnAppendFailure=false', 'throwOnAppendFailure'],
    ['esdb://u:secret@a?tlsVerifyCert=false', 'tlsVerifyCert'],
    ['esdb://u:secret@a?tlsVerifyCrt=true', 'tlsVerifyCrt'],
    ['esdb://u:%zzsecret@a', 'percent-encoded'],
  ])('refuses %s', (url, problem) => {
    const refusal = expect.objectContaining({
      code: 'SETTINGS.INVALID',
      message: expect.stringContaining(problem) as string,
    }) as Error;
    expect(() => of(url)).toThrow(refusal);
    expect(() => of(url)).not.toThrow(/secret/);
  });

  it.each(['esdb:*', '*', 'foo,esdb:command'])('refuses to run with DEBUG=%s, which prints the password', (DEBUG) => {
    expect(() => of('esdb://a?tls=false', { DEBUG })).toThrow(/DEBUG/);
    expect(() => of('esdb://a?tls=false', { DEBUG: 'foo' })).not.toThrow();
  });
});
