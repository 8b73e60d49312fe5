/**
 * One YAML or JSON document of a file. Manifests are read without positions, which costs a fraction of a tree
 * that carries them; the lines of their fields are worked out when an error message (or anybody else) first
 * asks for one.
 */
import { YAMLException } from 'js-yaml';
import { EventIndex } from './event-index.ts';

/** Keys and indexes from the document's root to a value. */
export type ValuePath = readonly (string | number)[];

export class SourceDocument {
  readonly file: string;
  /** The line in the file, from 1, on which `text` begins. */
  readonly firstLine: number;
  readonly #index: EventIndex;
  readonly #ordinal: number;

  /** The `ordinal`-th document, from 0, of `text`, which is a part of `file`. */
  constructor(file: string, text: string | EventIndex, firstLine: number, ordinal = 0) {
    this.file = file;
    this.firstLine = firstLine;
    this.#index = typeof text === 'string' ? new EventIndex(text) : text;
    this.#ordinal = ordinal;
  }

  /** This document and its neighbours. */
  get text(): string {
    return this.#index.text;
  }

  /** The `ordinal`-th document of the same text. */
  sibling(ordinal: number): SourceDocument {
    return new SourceDocument(this.file, this.#index, this.firstLine, ordinal);
  }

  /**
   * The line in the file, from 1, of the value at `path`, or of the nearest value above it that exists. JSON
   * nested deeper than MAX_DEPTH has its first line only.
   */
  lineOf(path: ValuePath): number {
    try {
      return this.firstLine + this.#index.linesBefore(this.#offsetOf(path));
    } catch (error) {
      if (error instanceof YAMLException) return this.firstLine;
      throw error;
    }
  }

  #offsetOf(path: ValuePath): number {
    let place = this.#index.root(this.#ordinal);
    let offset = place?.offset ?? 0;
    for (const segment of path) {
      place = place === undefined ? undefined : this.#index.child(place, segment);
      if (place === undefined) break;
      offset = place.offset;
    }
    return offset;
  }
}
