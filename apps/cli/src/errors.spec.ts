import { HubError } from '#libs/kernel';
import { errorLines, exitCodeOf, failure, interrupted, usageError } from './errors.js';
import { parseMetrics } from './hub-http.js';

describe('a failure', () => {
  it('is told in one line for each problem', () => {
    expect(errorLines(usageError('--batch', '"x" is no number', 'write 500'))).toBe(
      'hilo: --batch: "x" is no number; write 500\n',
    );
    expect(errorLines(new HubError('SETTINGS.INVALID', 'HILO_PORT: a\nHILO_HOST: b'))).toBe(
      'hilo: HILO_PORT: a\nhilo: HILO_HOST: b\n',
    );
  });

  it.each([
    [usageError('a', 'b', 'c'), 2],
    [new HubError('HISTORY.INVALID', ''), 2],
    [interrupted('stopped'), 130],
    [new HubError('HISTORY.ABORTED', ''), 130],
    [failure('no'), 1],
    [new Error('defect'), 1],
  ])('ends the program with the code of its kind (%#)', (error, code) => expect(exitCodeOf(error)).toBe(code));
});

describe('the figures of a hub', () => {
  it('are read by name', () => {
    const figures = parseMetrics(
      '# HELP hilo_bus_in_flight x\nhilo_bus_in_flight 3\nother{a="b"} 7\nhilo_read_model_position 1.5e3\n',
    );
    expect([...figures]).toEqual([
      ['hilo_bus_in_flight', 3],
      ['hilo_read_model_position', 1500],
    ]);
  });
});
