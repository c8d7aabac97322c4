import { MAX_LINE_BYTES, linesOf, type InputLine } from './line-reader.js';

async function* pieces(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

const read = async (chunks: AsyncIterable<Buffer>, from = { lines: 0, offset: 0 }): Promise<InputLine[]> => {
  const lines: InputLine[] = [];
  for await (const line of linesOf(chunks, from)) lines.push(line);
  return lines;
};

describe('the lines of an input', () => {
  it('are the same wherever the chunks end', async () => {
    const text = 'one\r\n\ntwø\nthree';
    const whole = (await read(pieces(text))).map(({ bytes, ...line }) => ({ ...line, text: bytes.toString() }));
    expect(whole).toEqual([
      { number: 1, text: 'one', cut: false, end: 5 },
      { number: 2, text: '', cut: false, end: 6 },
      { number: 3, text: 'twø', cut: false, end: 11 },
      { number: 4, text: 'three', cut: false, end: 16 },
    ]);
    async function* bytewise(): AsyncGenerator<Buffer> {
      for (const byte of Buffer.from(text)) yield Buffer.from([byte]);
    }
    expect((await read(bytewise())).map(({ bytes, end }) => [bytes.toString(), end])).toEqual(
      whole.map((line) => [line.text, line.end]),
    );
  });

  it('go on from a place', async () => {
    const [line] = await read(pieces('three\n'), { lines: 3, offset: 11 });
    expect(line).toMatchObject({ number: 4, end: 17 });
  });

  it('are cut where they would fill the memory, and counted whole', async () => {
    const half = 'x'.repeat(MAX_LINE_BYTES / 2);
    const [long, next] = await read(pieces(half, half, half, 'y\nnext\n'));
    expect(long).toMatchObject({ cut: true, end: 1.5 * MAX_LINE_BYTES + 2 });
    expect(long!.bytes).toHaveLength(MAX_LINE_BYTES);
    expect(next).toMatchObject({ number: 2, cut: false });
  });
});
