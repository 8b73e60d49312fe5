/**
 * Files to manifests. In: the text of a file, YAML or JSON, one document or many, `List` objects among them,
 * as people write them and as `kubectl get -o yaml|json` prints them. Out: one Manifest per object, still
 * untyped, which knows its place in the file. Refuses what does not parse, and documents that are no objects.
 */
import { constructFromEvents, parseEvents, YAMLException } from 'js-yaml';
import { InputError } from '../../sim/input-error.ts';
import type { Origin } from '../objects.ts';
import { MAX_DEPTH } from './event-index.ts';
import type { SourceDocument, ValuePath } from './source-document.ts';
import { splitJson, splitYaml } from './split.ts';
import { KUBECTL_SCHEMA } from './yaml-schema.ts';

/** One object of a file before it is decoded. */
export interface Manifest {
  /** As the file says, or as the surrounding typed list (`PodList`) implies. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly document: SourceDocument;
  /** Where in the document: empty, or `items` and an index. */
  readonly path: ValuePath;
  readonly origin: Origin;
}

/** An Origin that counts lines when somebody asks, and finds those of the object's fields. */
class ManifestOrigin implements Origin {
  readonly #document: SourceDocument;
  readonly #path: ValuePath;

  constructor(document: SourceDocument, path: ValuePath) {
    this.#document = document;
    this.#path = path;
  }

  get file(): string {
    return this.#document.file;
  }

  get line(): number {
    return this.#document.lineOf(this.#path);
  }

  within(path: ValuePath): Origin {
    return new ManifestOrigin(this.#document, [...this.#path, ...path]);
  }
}

/** Where the field at `path` of the object from `origin` is written, as far as can be told. */
export function originWithin(origin: Origin, path: ValuePath): Origin {
  return origin instanceof ManifestOrigin ? origin.within(path) : origin;
}

/**
 * The objects in `text`, in order; `file` is its name as the user gave it. Lists are flattened, empty
 * documents skipped. Throws InputError with the line of what does not parse.
 */
export function parseManifests(text: string, file: string): Manifest[] {
  const source = text.startsWith('\ufeff') ? text.slice(1) : text;
  const manifests: Manifest[] = [];
  for (const [document, value] of readDocuments(source, file)) {
    if (value !== null && value !== undefined) flatten(document, [], value, manifests);
  }
  return manifests;
}

/**
 * The one object in `text` when it is no API object: a configuration file with neither apiVersion nor kind.
 * `kind` is what error messages call it. Throws InputError for anything but exactly one object.
 */
export function parsePlainObject(text: string, file: string, kind: string): Manifest {
  const documents = [...readDocuments(text, file)].filter(
    ([, value]) => value !== null && value !== undefined,
  );
  const [first, second] = documents;
  if (first === undefined) throw new InputError(`the file is empty; expected a ${kind}`, { file, line: 1 });
  const [document, value] = first;
  if (second !== undefined) {
    throw new InputError(`expected one ${kind}, found a second document`, {
      file,
      line: second[0].lineOf([]),
    });
  }
  if (!isRecord(value)) {
    const found = `expected a ${kind}, found ${describeValue(value)}`;
    throw new InputError(found, { file, line: document.lineOf([]) });
  }
  return { apiVersion: '', kind, value, document, path: [], origin: new ManifestOrigin(document, []) };
}

/** JSON when the text looks like JSON and is JSON, else YAML (of which `{a: b}` is a valid document too). */
function* readDocuments(text: string, file: string): Generator<[SourceDocument, unknown]> {
  const json = /^\s*\{/.test(text) ? readJson(text, file) : undefined;
  if (json !== undefined) yield* json;
  else for (const document of splitYaml(text, file)) yield* readYaml(document);
}

function readJson(text: string, file: string): [SourceDocument, unknown][] | undefined {
  const documents = splitJson(text, file);
  if (documents === undefined) return undefined;
  try {
    return documents.map((document) => [document, JSON.parse(document.text)]);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function readYaml(document: SourceDocument): [SourceDocument, unknown][] {
  const { text, file, firstLine } = document;
  try {
    const events = parseEvents(text, { maxDepth: MAX_DEPTH });
    const values = constructFromEvents(events, { source: text, schema: KUBECTL_SCHEMA });
    return values.map((value, ordinal) => [ordinal === 0 ? document : document.sibling(ordinal), value]);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const line = firstLine + (error.mark?.line ?? 0);
    throw new InputError(`not valid YAML: ${error.reason}`, { file, line });
  }
}

/** What `value` is, in words, for messages. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? `the string ${JSON.stringify(value)}` : `${value}`;
}

/** An object of any shape, its members not yet looked at. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function flatten(document: SourceDocument, path: ValuePath, value: unknown, into: Manifest[]): void {
  const fail = (message: string, at: ValuePath = path) =>
    new InputError(message, { file: document.file, line: document.lineOf(at) });
  if (!isRecord(value)) {
    throw fail(`expected an object with apiVersion and kind, found ${describeValue(value)}`);
  }
  const { apiVersion, kind } = value;
  for (const [key, found] of Object.entries({ apiVersion, kind })) {
    if (found === undefined || found === null || found === '') throw fail(`the object has no ${key}`);
    if (typeof found !== 'string') {
      throw fail(`${key}: expected a string, found ${describeValue(found)}`, [...path, key]);
    }
  }
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return;
  if (!kind.endsWith('List')) {
    into.push({ apiVersion, kind, value, document, path, origin: new ManifestOrigin(document, path) });
    return;
  }
  const items = value.items ?? [];
  if (!Array.isArray(items)) throw fail('items: expected a list', [...path, 'items']);
  for (const [index, item] of items.entries()) {
    flatten(document, [...path, 'items', index], typedItem(item, apiVersion, kind), into);
  }
}

/** The API's typed lists (`ServiceList`) leave apiVersion and kind out of their items. */
function typedItem(item: unknown, apiVersion: string, listKind: string): unknown {
  if (!isRecord(item) || listKind === 'List') return item;
  return { apiVersion, kind: listKind.slice(0, -'List'.length), ...item };
}
