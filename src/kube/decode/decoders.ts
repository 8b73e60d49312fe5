/** The small decoders that the kinds are made of. Absent fields read as undefined; wrong ones throw. */
import { describeValue } from '../manifest/manifest.ts';
import { type Cursor, type Decoder, elements, fail, fieldPath, members } from './cursor.ts';

/** Any string. Throws on other types: the API does not turn numbers or booleans into text. */
export function string(at: Cursor): string {
  if (typeof at.value === 'string') return at.value;
  const quoted = typeof at.value === 'number' || typeof at.value === 'boolean' ? ' (quote it)' : '';
  return fail(at, `expected a string, found ${describeValue(at.value)}${quoted}`);
}

/** `true` or `false`. */
export function boolean(at: Cursor): boolean {
  if (typeof at.value === 'boolean') return at.value;
  return fail(at, `expected true or false, found ${describeValue(at.value)}`);
}

/** A whole number from `min` to `max`, both included. */
export function integer(min: number, max: number): Decoder<number> {
  return (at) => {
    const { value } = at;
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      return fail(at, `expected a whole number, found ${describeValue(value)}`);
    }
    if (value < min || value > max) fail(at, `${value} is not between ${min} and ${max}`);
    return value;
  };
}

/** An int32 that is not negative. */
export const count = integer(0, 0x7fffffff);

/** One of a closed set of words. */
export function oneOf<const T extends string>(words: readonly T[]): Decoder<T> {
  return (at) => {
    const text = string(at);
    const word = words.find((candidate) => candidate === text);
    return word ?? fail(at, `${JSON.stringify(text)} is not one of ${words.join(', ')}`);
  };
}

/** A string that `problem` has nothing to say against; it returns what is wrong, or undefined. */
export function text(problem: (value: string) => string | undefined): Decoder<string> {
  return (at) => {
    const value = string(at);
    const wrong = problem(value);
    return wrong === undefined ? value : fail(at, wrong);
  };
}

/** `decode`, or undefined when the field is absent. */
export function optional<T>(decode: Decoder<T>): Decoder<T | undefined> {
  return (at) => (at.value === undefined ? undefined : decode(at));
}

/** `decode`, or `fallback` when the field is absent. */
export function withDefault<T>(decode: Decoder<T>, fallback: T): Decoder<T> {
  return (at) => (at.value === undefined ? fallback : decode(at));
}

/** One of `words`; absent or empty text is `fallback`, as for the API's fields that are no pointers. */
export function oneOfOr<const T extends string>(words: readonly T[], fallback: T): Decoder<T> {
  const decode = oneOf(words);
  return (at) => (at.value === undefined || at.value === '' ? fallback : decode(at));
}

/** `decode`, with absence an error of its own. */
export function required<T>(decode: Decoder<T>): Decoder<T> {
  return (at) => (at.value === undefined || at.value === '' ? fail(at, 'is required') : decode(at));
}

/** Every element with `decode`; empty when absent. */
export function list<T>(decode: Decoder<T>): Decoder<T[]> {
  return (at) => elements(at).map(decode);
}

/** An object of strings, as labels are; empty when absent. */
export function stringMap(at: Cursor): Readonly<Record<string, string>> {
  const all = members(at);
  if (all.length === 0) return EMPTY;
  const map: Record<string, string> = Object.create(null);
  for (const member of all) map[member.key] = member.value === undefined ? '' : string(member);
  return map;
}

const EMPTY: Readonly<Record<string, string>> = Object.freeze(Object.create(null));

/** Throws at the first of `cursors` whose key was seen before; undefined keys are not compared. */
export function refuseDuplicates<T>(
  cursors: readonly Cursor[],
  keyOf: (at: Cursor) => T | undefined,
  what: string,
): void {
  const seen = new Map<T, Cursor>();
  for (const at of cursors) {
    const key = keyOf(at);
    if (key === undefined) continue;
    const first = seen.get(key);
    if (first !== undefined) fail(at, `${what} ${String(key)} is already used by ${fieldPath(first)}`);
    seen.set(key, at);
  }
}

type WithAbsent<T> = { [K in keyof T]: object extends Pick<T, K> ? T[K] | undefined : T[K] };

/** `fields` without its undefined members, so that an absent field is absent in the result too. */
export function defined<T extends object>(fields: WithAbsent<T>): T {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) kept[key] = value;
  return kept as T;
}
