/**
 * Where the values of a YAML (or JSON) text stand in it, from the parser's flat list of events. Nothing is
 * parsed before the first question.
 */
import { EVENT_ID, type Event, getScalarValue, parseEvents } from 'js-yaml';

/** Plenty for any manifest, and a bound on hostile input. */
export const MAX_DEPTH = 200;

/** A value: the index of its first event, and where it, or the key before it, is written. */
export interface Place {
  readonly event: number;
  readonly offset: number;
}

export class EventIndex {
  readonly text: string;
  #events: readonly Event[] | undefined;
  #roots: readonly Place[] | undefined;
  #lineStarts: readonly number[] | undefined;
  /** The elements of long lists, by the list's event, so that each list is walked once. */
  readonly #elements = new Map<number, readonly Place[]>();

  constructor(text: string) {
    this.text = text;
  }

  /** The content of the `ordinal`-th document, from 0. Throws YAMLException when the text does not parse. */
  root(ordinal: number): Place | undefined {
    this.#roots ??= this.#load().flatMap((event, index) =>
      event.type === EVENT_ID.DOCUMENT ? [{ event: index + 1, offset: this.#offsetOf(index + 1) ?? 0 }] : [],
    );
    return this.#roots[ordinal];
  }

  /** The value under `segment` of the mapping or sequence at `parent`. */
  child(parent: Place, segment: string | number): Place | undefined {
    const type = this.#load()[parent.event]?.type;
    if (type === EVENT_ID.SEQUENCE && typeof segment === 'number') return this.#elementsOf(parent)[segment];
    return type === EVENT_ID.MAPPING ? this.#member(parent, segment) : undefined;
  }

  /** How many lines end before `offset`. */
  linesBefore(offset: number): number {
    this.#lineStarts ??= lineStarts(this.text);
    let low = 0;
    let high = this.#lineStarts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #load(): readonly Event[] {
    this.#events ??= parseEvents(this.text, { maxDepth: MAX_DEPTH });
    return this.#events;
  }

  #elementsOf(parent: Place): readonly Place[] {
    const known = this.#elements.get(parent.event);
    if (known !== undefined) return known;
    const elements: Place[] = [];
    for (let event = parent.event + 1; !this.#closes(event); event = this.#skip(event)) {
      elements.push({ event, offset: this.#offsetOf(event) ?? parent.offset });
    }
    this.#elements.set(parent.event, elements);
    return elements;
  }

  #member(parent: Place, name: string | number): Place | undefined {
    const events = this.#load();
    for (let key = parent.event + 1; !this.#closes(key); ) {
      const value = this.#skip(key);
      const event = events[key];
      if (event?.type === EVENT_ID.SCALAR && getScalarValue(this.text, event) === name) {
        return { event: value, offset: this.#offsetOf(key) ?? parent.offset };
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

  /** Where the node at `index` is written; undefined for an empty one, which has no place. */
  #offsetOf(index: number): number | undefined {
    const event = this.#load()[index];
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
}

/** The offsets at which the second and all later lines of `text` begin. */
function lineStarts(text: string): number[] {
  const starts: number[] = [];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
