import { isUtf8 } from 'node:buffer';
import { ProblemError } from './problem.js';

/** How deep JSON may nest; the hub's own formats need 6, and a parser fed a million brackets is busy for a second. */
export const MAX_JSON_DEPTH = 64;

/**
 * The value of a JSON body, which every route of the hub receives as bytes.
 * @throws HubError `REQUEST.NOT_JSON` (400) with line and column of the first fault; nothing of the body is repeated.
 */
export const readJsonBody = (body: unknown): unknown => parseJson(readTextBody(body));

/** The text of a UTF-8 body, without byte order mark. @throws HubError `REQUEST.NOT_JSON` when empty or not UTF-8. */
export const readTextBody = (body: unknown): string => {
  if (!Buffer.isBuffer(body) || body.length === 0) throw notJson('the body is empty');
  // Decoding would put U+FFFD in the place of broken bytes, and the content would differ from what was sent.
  if (!isUtf8(body)) throw notJson('the body is not UTF-8');
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.toString('utf8', 3) : body.toString('utf8');
};

/**
 * The value of a JSON text.
 * @param scanAbove text of at most so many characters is not searched for deep nesting: for readers whose check of the
 * shape refuses it anyway. @default 0
 * @throws HubError `REQUEST.NOT_JSON` with line and column of the first fault.
 */
export const parseJson = (text: string, scanAbove = 0): unknown => {
  if (text.length > scanAbove && isDeeperThan(text, MAX_JSON_DEPTH))
    throw notJson(`the body nests deeper than ${MAX_JSON_DEPTH} levels`);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The engine's own message quotes the text around the fault, which may be personal.
    throw notJson(`the body is not JSON: ${placeOfJsonFault(text)}`);
  }
};

const notJson = (detail: string) =>
  new ProblemError('REQUEST.NOT_JSON', detail, { errors: [{ path: '$', message: detail, allowed: 'JSON in UTF-8' }] });

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Whether a text opens more than `limit` brackets at once, strings aside. */
export const isDeeperThan = (text: string, limit: number): boolean => {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) {
      at = endOfString(text, at + 1);
      if (at < 0) return false;
    } else if (unit === 0x5b || unit === 0x7b) {
      depth += 1;
      if (depth > limit) return true;
    } else if (unit === 0x5d || unit === 0x7d) depth -= 1;
  }
  return false;
};

const endOfString = (text: string, from: number): number => {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 1)) {
    let slash = at;
    while (slash > from && text.charCodeAt(slash - 1) === BACKSLASH) slash -= 1;
    if ((at - slash) % 2 === 0) return at;
  }
  return -1;
};

/** Where and how a text stops being JSON, in words; `not found` for a text that is JSON. */
export const placeOfJsonFault = (text: string): string => {
  const fault = findJsonFault(text);
  if (fault === undefined) return 'not found';
  const before = text.slice(0, fault);
  const line = before.split('\n').length;
  const column = fault - before.lastIndexOf('\n');
  return `${fault >= text.length ? 'it ends too early' : 'unexpected character'} at line ${line}, column ${column}`;
};

const WHITE = new Set([' ', '\t', '\n', '\r']);
const LITERALS = ['true', 'false', 'null'];
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const escapes = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** Offset of the first character that no JSON text could have there, or undefined. */
export const findJsonFault = (text: string): number | undefined => {
  const open: ('{' | '[')[] = [];
  let at = 0;
  // What may come next; `first` forms also accept the closing bracket of an empty object or array.
  let next: 'value' | 'firstValue' | 'key' | 'firstKey' | 'after' = 'value';
  const skip = () => {
    while (WHITE.has(text[at]!)) at += 1;
  };
  /** Steps over a string; false leaves `at` on the fault. */
  const string = (): boolean => {
    for (at += 1; at < text.length;) {
      const unit = text.charCodeAt(at);
      if (unit === QUOTE) {
        at += 1;
        return true;
      }
      if (unit < 0x20) return false;
      if (unit === BACKSLASH) {
        escapes.lastIndex = at;
        if (!escapes.test(text)) return false;
        at = escapes.lastIndex;
      } else at += 1;
    }
    return false;
  };
  const scalar = (): boolean => {
    if (text[at] === '"') return string();
    const literal = LITERALS.find((word) => text.startsWith(word, at));
    if (literal) {
      at += literal.length;
      return true;
    }
    number.lastIndex = at;
    if (!number.test(text)) return false;
    at = number.lastIndex;
    return true;
  };
  for (;;) {
    skip();
    const here = text[at];
    if (next === 'after') {
      if (open.length === 0) return at < text.length ? at : undefined;
      const inObject = open.at(-1) === '{';
      if (here === ',') next = inObject ? 'key' : 'value';
      else if (here === (inObject ? '}' : ']')) open.pop();
      else return at;
      at += 1;
    } else if ((next === 'firstKey' && here === '}') || (next === 'firstValue' && here === ']')) {
      open.pop();
      at += 1;
      next = 'after';
    } else if (next === 'key' || next === 'firstKey') {
      if (here !== '"' || !string()) return at;
      skip();
      if (text[at] !== ':') return at;
      at += 1;
      next = 'value';
    } else if (here === '{' || here === '[') {
      open.push(here);
      at += 1;
      next = here === '{' ? 'firstKey' : 'firstValue';
    } else {
      if (!scalar()) return at;
      next = 'after';
    }
  }
};
