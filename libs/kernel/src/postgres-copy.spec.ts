import { copyText } from './postgres-copy.js';

it('writes rows as COPY reads them, whatever is in their texts', () => {
  const rows = [
    { key: 1, text: 'one\ttwo\nthree\r\\four', bytes: Buffer.from([0, 255]), none: null },
    { key: -2.5, text: '\\N', bytes: Buffer.alloc(0), none: undefined },
    { key: 3, text: 'nul \0 stays out', bytes: null, none: null },
  ];
  expect(copyText(['text', 'key', 'bytes', 'none'], rows)).toBe(
    [
      'one\\ttwo\\nthree\\r\\\\four\t1\t\\\\x00ff\t\\N\n',
      '\\\\N\t-2.5\t\\\\x\t\\N\n',
      'nul \ufffd stays out\t3\t\\N\t\\N\n',
    ].join(''),
  );
  expect(copyText(['key'], [])).toBe('');
});
