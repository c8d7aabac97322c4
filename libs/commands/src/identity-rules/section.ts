export type Fields<Names extends string, Value> = Record<Names, Value>;

/**
 * One mapping of a settings file, read field by field: what is wrong is listed with its path, the problem and what is
 * allowed, and reading goes on, so that a file shows all its mistakes at once.
 */
export class Section {
  private readonly fields: Readonly<Record<string, unknown>>;
  private readonly read = new Set<string>();

  constructor(
    value: unknown,
    private readonly path: string,
    private readonly problems: string[],
  ) {
    if (isMapping(value)) this.fields = value;
    else {
      this.fields = {};
      this.problem('', `is ${described(value)}; a mapping of fields is allowed`);
    }
  }

  problem(field: string, text: string): void {
    const place = [this.path, field].filter(Boolean).join('.');
    this.problems.push(place === '' ? text : `${place}: ${text}`);
  }

  /** A required text. */
  text(field: string, form: RegExp, allowed: string, fallback: string): string {
    const value = this.take(field);
    if (typeof value === 'string' && form.test(value)) return value;
    this.refuse(field, value, allowed);
    return fallback;
  }

  /** A number; required where there is no fallback. */
  number(field: string, min: number, max: number, fallback?: number, whole = false): number {
    const value = this.take(field);
    if (value === undefined && fallback !== undefined) return fallback;
    if (typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
    this.refuse(field, value, `a ${whole ? 'whole ' : ''}number from ${min} to ${max}`);
    return min;
  }

  integer(field: string, min: number, max: number, fallback?: number): number {
    return this.number(field, min, max, fallback, true);
  }

  optionalInteger(field: string, min: number, max: number): number | undefined {
    if (this.fields[field] !== undefined) return this.integer(field, min, max);
    this.read.add(field);
    return undefined;
  }

  /** A list without repetition. */
  texts(field: string, form: RegExp, allowed: string, most: number, fallback: readonly string[]): readonly string[] {
    const value = this.take(field);
    if (value === undefined) return fallback;
    if (!Array.isArray(value) || value.length > most) {
      this.refuse(
        field,
        Array.isArray(value) ? `a list of ${value.length}` : value,
        `a list of at most ${most} entries`,
      );
      return fallback;
    }
    const kept: string[] = [];
    for (const [index, one] of (value as unknown[]).entries()) {
      if (typeof one !== 'string' || !form.test(one)) this.refuse(`${field}[${index}]`, one, allowed);
      else if (kept.includes(one)) this.problem(`${field}[${index}]`, `repeats "${one}"; an entry occurs once`);
      else kept.push(one);
    }
    return kept;
  }

  set(field: string, form: RegExp, allowed: string, most: number, fallback: ReadonlySet<string>): ReadonlySet<string> {
    if (this.fields[field] === undefined) this.read.add(field);
    return this.fields[field] === undefined ? fallback : new Set(this.texts(field, form, allowed, most, []));
  }

  /** A mapping with known fields. */
  part<Value>(field: string, fallback: Value, read: (section: Section) => Value): Value {
    const value = this.take(field);
    if (value === undefined) return fallback;
    const section = new Section(value, this.placeOf(field), this.problems);
    const part = read(section);
    section.end();
    return part;
  }

  /** A mapping whose keys are free, such as types. */
  entries<Value>(
    field: string,
    form: RegExp,
    allowed: string,
    fallback: Readonly<Record<string, Value>>,
    read: (section: Section) => Value,
  ): Readonly<Record<string, Value>> {
    return this.part(field, fallback, (section) => {
      const kept: Record<string, Value> = {};
      for (const key of section.keys(form, allowed)) {
        const entry = new Section(section.take(key), section.placeOf(key), this.problems);
        kept[key] = read(entry);
        entry.end();
      }
      return kept;
    });
  }

  /** A mapping of free keys to numbers. */
  numbers(
    field: string,
    form: RegExp,
    allowed: string,
    min: number,
    max: number,
    fallback: Readonly<Record<string, number>>,
  ): Readonly<Record<string, number>> {
    return this.part(field, fallback, (section) =>
      Object.fromEntries(section.keys(form, allowed).map((key) => [key, section.number(key, min, max)])),
    );
  }

  /** Lists the fields that nobody has read. */
  end(): void {
    for (const field of Object.keys(this.fields)) {
      if (this.read.has(field)) continue;
      const known = [...this.read].join(', ');
      this.problem(field, `is not a known field; ${known === '' ? 'remove it' : `one of ${known} is allowed`}`);
    }
  }

  private keys(form: RegExp, allowed: string): string[] {
    const names = Object.keys(this.fields);
    for (const name of names.filter((one) => !form.test(one))) {
      this.read.add(name);
      this.problem(name, `is not allowed; the keys here are ${allowed}`);
    }
    return names.filter((name) => form.test(name));
  }

  private take(field: string): unknown {
    this.read.add(field);
    return this.fields[field];
  }

  private placeOf(field: string): string {
    return this.path === '' ? field : `${this.path}.${field}`;
  }

  private refuse(field: string, value: unknown, allowed: string): void {
    this.problem(field, `${value === undefined ? 'is missing' : `is ${described(value)}`}; ${allowed} is allowed`);
  }
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const LONGEST_QUOTE = 60;

const described = (value: unknown): string => {
  if (value === undefined || value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = typeof value === 'string' ? `"${value}"` : String(value as number | boolean);
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
};
