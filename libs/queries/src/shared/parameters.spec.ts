import { directions, instant, kinds, oneOf, onlyParameters, several, single, whole } from './parameters.js';

describe('query parameters', () => {
  it('names a parameter that does not exist, and those that do', () =>
    expect(() => onlyParameters({ chanel: 'email' }, ['channel', 'kind'])).toThrow(
      'chanel: is not a parameter here; allowed are channel, kind',
    ));

  it('takes lists by comma and by repetition', () => {
    expect(several({ channel: ['email,phone', 'sms'] }, 'channel')).toEqual(['email', 'phone', 'sms']);
    expect(several({ channel: '' }, 'channel')).toBeUndefined();
  });

  it.each([
    ['kind', () => kinds({ kind: 'letter' })],
    ['direction', () => directions({ direction: 'sideways' })],
    ['include', () => oneOf({ include: 'all' }, 'include', ['body'])],
    ['limit', () => whole({ limit: '0' }, 'limit', 1, 100)],
    ['limit', () => whole({ limit: '1e2' }, 'limit', 1, 100)],
    ['limit', () => single({ limit: ['1', '2'] }, 'limit')],
    ['from', () => instant({ from: '2025-03-02T09:15:00' }, 'from')],
  ])('refuses a wrong %s by its name', (name, read) => expect(read).toThrow(new RegExp(`^${name}: `)));

  it('reads instants in any zone, also where a plus sign became a space', () => {
    expect(instant({ from: '2025-03-02T10:15:00 01:00' }, 'from')).toBe(Date.UTC(2025, 2, 2, 9, 15));
    expect(instant({ from: '2025-03-02T10:15:00+01:00' }, 'from')).toBe(Date.UTC(2025, 2, 2, 9, 15));
  });
});
