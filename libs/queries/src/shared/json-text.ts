const isList = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

/**
 * The text of a JSON object, piece by piece: a member that is an `AsyncIterable` becomes a list, and is asked for its next
 * item when the text has been taken up to there. Members that are undefined are left out.
 */
export async function* jsonText(members: Readonly<Record<string, unknown>>): AsyncGenerator<string, void, void> {
  let start = '{';
  for (const [name, value] of Object.entries(members)) {
    if (value === undefined) continue;
    yield `${start}${JSON.stringify(name)}:`;
    start = ',\n';
    if (isList(value)) yield* listText(value);
    else yield JSON.stringify(value);
  }
  yield start === '{' ? '{}\n' : '}\n';
}

async function* listText(items: AsyncIterable<unknown>): AsyncGenerator<string, void, void> {
  let start = '[';
  for await (const item of items) {
    yield `${start}${JSON.stringify(item)}`;
    start = ',\n';
  }
  yield start === '[' ? '[]' : ']';
}
