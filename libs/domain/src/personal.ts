/**
 * How the log keeps a field:
 * - `clear`: readable by whoever reads the file; nothing in it tells who somebody is or what was said;
 * - `sealed`: encrypted, and gone once the key is destroyed;
 * - `unnamed`: encrypted like `sealed`, but it names nobody: who may not see personal data is shown it all the same;
 * - `marked`: encrypted, and read as `erased` once the key is destroyed, since readers cannot do without it.
 */
export type Privacy = 'clear' | 'sealed' | 'unnamed' | 'marked';

/** `each`: a list of objects whose fields are kept one way or another. */
export type FieldPrivacy = Privacy | { readonly each: Readonly<Record<string, Privacy>> };

/** What a sealed field that cannot be left out reads once its key is destroyed. */
export const ERASED = 'erased';

/** What of an event type is personal. A field that is not named here is sealed: a slip hides too much, never too little. */
export interface EventPrivacy {
  /**
   * Whose key seals it: the identity that this field names, or `stream` for the id that the event's stream is named
   * after. Always clear.
   */
  readonly subject: string;
  readonly fields: Readonly<Record<string, FieldPrivacy>>;
}

type FieldsOf<Data> = Readonly<{
  [Field in keyof Required<Data>]: Required<Data>[Field] extends readonly (infer Item extends object)[]
    ? Privacy | { readonly each: Readonly<Record<keyof Required<Item> & string, Privacy>> }
    : Privacy;
}>;

/** A declaration that names every field of `Data`: a new field does not compile until somebody has decided. */
export const privacyOf = <Data extends object>(
  subject: (keyof Data & string) | 'stream',
  fields: FieldsOf<Omit<Data, 'erased'>>,
): EventPrivacy => ({ subject, fields });
