/** Form parameters in order of appearance; a repeated name has several values. */
export type FormFields = ReadonlyMap<string, readonly string[]>;

/** The parameters of an urlencoded body or query: UTF-8, `+` is a space, values untouched. Total: any bytes are a form. */
export const readUrlencoded = (text: string): FormFields => collect(new URLSearchParams(text));

/** Name and value pairs as fields. */
export const collect = (pairs: Iterable<readonly [string, string]>): FormFields => {
  const fields = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const values = fields.get(name);
    if (values) values.push(value);
    else fields.set(name, [value]);
  }
  return fields;
};
