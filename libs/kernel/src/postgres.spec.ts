import { messageOf } from './errors.js';
import { checkPostgresUrl, isSqlState, schemaFor } from './postgres.js';

const problemOf = (url: string, production = false): string | undefined => {
  try {
    checkPostgresUrl(url, 'HILO_X_URL', production);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
};

describe('an address of PostgreSQL', () => {
  it.each([
    'postgres://hub:secret@db.example/hilo',
    'postgresql://hub@localhost:5433/hilo?schema=acme_hub',
    'postgres://hub@localhost/hilo?host=/run/postgresql',
  ])('may be %s', (url) => expect(problemOf(url)).toBeUndefined());

  it.each([
    'mysql://hub:secret@db/hilo',
    'secret',
    'postgres://hub:secret@db/hilo?schema=A-B',
    'postgres://hub:secret@[db/',
  ])('is refused by the name of its variable, without being shown: %s', (url) => {
    expect(problemOf(url)).toMatch(/^HILO_X_URL: /);
    expect(problemOf(url)).not.toContain('secret');
  });

  it('has its certificate checked in production, unless it is on this machine', () => {
    expect(problemOf('postgres://hub:secret@db.example/hilo', true)).toMatch(/^HILO_X_URL: .*sslmode=verify-full/);
    expect(problemOf('postgres://hub:secret@db.example/hilo?sslmode=require', true)).toBeDefined();
    expect(problemOf('postgres://hub:secret@db.example/hilo?sslmode=verify-full', true)).toBeUndefined();
    expect(problemOf('postgres://hub@127.0.0.1/hilo', true)).toBeUndefined();
    expect(problemOf('postgres://hub@localhost/hilo?host=/run/postgresql', true)).toBeUndefined();
    expect(problemOf('postgres://hub@localhost/hilo?host=db.example', true)).toBeDefined();
  });

  it('names the schemas of its rooms', () => {
    expect(schemaFor('postgres://db/hilo', 'keys')).toBe('hilo_keys');
    expect(schemaFor('postgres://db/hilo?schema=acme', 'keys')).toBe('acme_keys');
  });
});

it('tells what the server says from what the system says of the connection', () => {
  for (const code of ['08006', '57P01', 'XX000', 'P0001', '0A000'])
    expect([code, isSqlState(code)]).toEqual([code, true]);
  for (const code of ['EPIPE', 'ECONNRESET', 'ECONNREFUSED', undefined])
    expect([code, isSqlState(code)]).toEqual([code, false]);
});
