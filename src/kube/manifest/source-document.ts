/**
 * The text of one YAML or JSON document and where its values stand in it. Manifests are read without
 * positions, which costs a fraction of a tree that carries them; the positions are worked out when an
 * error message (or anybody else) first asks for a line.
 */
import { EVENT_ID, type Event, getScalarValue, parseEvents, YAMLException } from 'js-yaml';

/** Keys and indexes from the document's root to a value. */
export type ValuePath = readonly (string | number)[];

/** Plenty for any manifest, and a bound on hostile input. */
export const MAX_DEPTH = 200;

export class SourceDocument {
  readonly file: string;
  readonly text: string;
  /** The line in the file, from 1, on which `text` begins. */
  readonly firstLine: number;
  /** Which document of `text` this is, from 0: `...` may separate documents without a `---`. */
  readonly ordinal: number;
  #events: readonly Event[] | undefined;
  #start = 0;
  /** Event indexes of the values in the root's `items`, so that a long List is walked once. */
  #items: readonly number[] | undefined;

  constructor(file: string, text: string, firstLine: number, ordinal = 0) {
    this.file = file;
    this.text = text;
    this.firstLine = firstLine;
    this.ordinal = ordinal;
  }

  /** The `ordinal`-th document of the same text. */
  sibling(ordinal: number): SourceDocument {
    return new SourceDocument(this.file, this.text, this.firstLine, ordinal);
  }

  /**
   * The line in the file, from 1, of the value at `path`, or of the nearest value above it that exists. JSON
   * nested deeper than MAX_DEPTH has its first line only.
   */
  lineOf(path: ValuePath): number {
    try {
      return this.#locate(path);
    } catch (error) {
      if (error instanceof YAMLException) return this.firstLine;
      throw error;
    }
  }

  #locate(path: ValuePath): number {
    const events = this.#load();
    let index = this.#start;
    let offset = offsetOf(events[index]) ?? 0;
    let depth = 0;
    const [first, second] = path;
    if (first === 'items' && typeof second === 'number') {
      const item = this.#itemEvents()[second];
      if (item !== undefined) {
        index = item;
        offset = offsetOf(events[item]) ?? offset;
        depth = 2;
      }
    }
    for (; depth < path.length; depth++) {
      const child = this.#child(index, path[depth] ?? '');
      if (child === undefined) break;
      index = child.value;
      offset = child.offset ?? offset;
    }
    return this.firstLine + newlinesBefore(this.text, offset);
  }

  #load(): readonly Event[] {
    if (this.#events !== undefined) return this.#events;
    const events = parseEvents(this.text, { maxDepth: MAX_DEPTH });
    let seen = -1;
    this.#start =
      events.findIndex((event) => event.type === EVENT_ID.DOCUMENT && ++seen === this.ordinal) + 1;
    this.#events = events;
    return events;
  }

  #itemEvents(): readonly number[] {
    if (this.#items !== undefined) return this.#items;
    const items: number[] = [];
    const list = this.#child(this.#start, 'items');
    if (list !== undefined && this.#load()[list.value]?.type === EVENT_ID.SEQUENCE) {
      for (let index = list.value + 1; !this.#closes(index); index = this.#skip(index)) items.push(index);
    }
    this.#items = items;
    return items;
  }

  /** The value under `segment` of the collection at `index`; `offset` is where its key (or it) is written. */
  #child(index: number, segment: string | number): { value: number; offset: number | undefined } | undefined {
    const events = this.#load();
    const collection = events[index];
    if (collection?.type === EVENT_ID.SEQUENCE && typeof segment === 'number') {
      let item = index + 1;
      for (let n = 0; n < segment && !this.#closes(item); n++) item = this.#skip(item);
      return this.#closes(item) ? undefined : { value: item, offset: offsetOf(events[item]) };
    }
    if (collection?.type !== EVENT_ID.MAPPING) return undefined;
    for (let key = index + 1; !this.#closes(key); ) {
      const value = this.#skip(key);
      const event = events[key];
      if (event?.type === EVENT_ID.SCALAR && getScalarValue(this.text, event) === segment) {
        return { value, offset: offsetOf(event) };
      }
      key = this.#skip(value);
    }
    return undefined;
  }

  #closes(index: number): boolean {
    const event = this.#load()[index];
    return event === undefined || event.type === EVENT_ID.POP;
  }

  /** The index of the event after the whole node at `index`. */
  #skip(index: number): number {
    const events = this.#load();
    let open = 0;
    for (let at = index; at < events.length; at++) {
      const type = events[at]?.type;
      if (type === EVENT_ID.POP) open--;
      else if (type === EVENT_ID.MAPPING || type === EVENT_ID.SEQUENCE) open++;
      if (open === 0) return at + 1;
    }
    return events.length;
  }
}

/** Where the node of `event` is written; undefined for an empty one, which has no place. */
function offsetOf(event: Event | undefined): number | undefined {
  switch (event?.type) {
    case EVENT_ID.MAPPING:
    case EVENT_ID.SEQUENCE:
      return event.start;
    case EVENT_ID.SCALAR:
      return event.valueStart < 0 ? undefined : event.valueStart;
    case EVENT_ID.ALIAS:
      return event.anchorStart;
    default:
      return undefined;
  }
}

/** How many lines end before `offset`. */
export function newlinesBefore(text: string, offset: number, from = 0): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
