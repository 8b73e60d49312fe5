/**
 * A cursor stands on one value of a manifest and knows the way there, so that whatever reads the value can
 * say where it is wrong: object, field path, file and line. A decoder is a function from a cursor to a value
 * that cannot be wrong; decoders compose (decoders.ts) and throw InputError.
 */
import { InputError } from '../../sim/input-error.ts';
import { describeValue, isRecord, type Manifest } from '../manifest/manifest.ts';
import type { ValuePath } from '../manifest/source-document.ts';

export interface Cursor {
  /** Undefined when the field is absent. `null` reads as absent, as in the API. */
  readonly value: unknown;
  readonly parent: Cursor | undefined;
  /** The last step to this value: a field name or an index. */
  readonly key: string | number;
  readonly manifest: Manifest;
}

export type Decoder<T> = (at: Cursor) => T;

/** The cursor on a whole object. */
export function rootCursor(manifest: Manifest): Cursor {
  return { value: manifest.value, parent: undefined, key: '', manifest };
}

/** The cursor on the field `key` of the object under `at`; absent when `at` is. Throws when it is no object. */
export function field(at: Cursor, key: string): Cursor {
  const object = at.value;
  let value: unknown;
  if (isRecord(object)) value = Object.hasOwn(object, key) ? object[key] : undefined;
  else if (object !== undefined) fail(at, `expected an object, found ${describeValue(object)}`);
  return { value: value ?? undefined, parent: at, key, manifest: at.manifest };
}

/** Cursors on the elements of the list under `at`; none when absent. Throws when it is no list. */
export function elements(at: Cursor): Cursor[] {
  if (at.value === undefined) return [];
  if (!Array.isArray(at.value)) return fail(at, `expected a list, found ${describeValue(at.value)}`);
  return at.value.map((value: unknown, key) => ({
    value: value ?? undefined,
    parent: at,
    key,
    manifest: at.manifest,
  }));
}

/** Cursors on the members of the object under `at`; none when absent. Throws when it is no object. */
export function members(at: Cursor): Cursor[] {
  if (at.value === undefined) return [];
  if (!isRecord(at.value)) return fail(at, `expected an object, found ${describeValue(at.value)}`);
  return Object.entries(at.value).map(([key, value]) => ({
    value: value ?? undefined,
    parent: at,
    key,
    manifest: at.manifest,
  }));
}

/** `spec.ports[0].port` */
export function fieldPath(at: Cursor): string {
  if (at.parent === undefined) return '';
  const before = fieldPath(at.parent);
  if (typeof at.key === 'number') return `${before}[${at.key}]`;
  const key = /^[\w-]+$/.test(at.key) ? at.key : JSON.stringify(at.key);
  return before === '' ? key : `${before}.${key}`;
}

/** The path in the document, the object's own place in a List included. */
export function documentPath(at: Cursor): ValuePath {
  return at.parent === undefined ? at.manifest.path : [...documentPath(at.parent), at.key];
}

/** `Service default/web`, as far as the manifest tells. */
export function describeManifest(manifest: Manifest): string {
  const metadata = isRecord(manifest.value.metadata) ? manifest.value.metadata : {};
  const { name, namespace } = metadata;
  if (typeof name !== 'string') return manifest.kind;
  return `${manifest.kind} ${typeof namespace === 'string' ? `${namespace}/` : ''}${name}`;
}

/** Throws an InputError that names the object, the field and the line of `at`. */
export function fail(at: Cursor, message: string): never {
  const { manifest } = at;
  const where = [describeManifest(manifest), fieldPath(at), message].filter((part) => part !== '').join(': ');
  throw new InputError(where, {
    file: manifest.document.file,
    line: manifest.document.lineOf(documentPath(at)),
  });
}
