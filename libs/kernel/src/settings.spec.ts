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
