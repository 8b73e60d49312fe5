/** Reading a configuration field by field: each knows its path, so that an error can name it. */
import { InputError } from '../../sim/input-error.ts';
import { AddressError, type IpAddress, parseIpAddress } from '../../wire/ip-address.ts';
import { type IpPrefix, parseIpPrefix } from '../../wire/ip-prefix.ts';
import type { JsonValue } from './json-source.ts';

const WORDS: Readonly<Record<JsonValue['kind'], string>> = {
  object: 'an object',
  list: 'a list',
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
  null: 'null',
};

/** A value of a configuration and the way to it. `null` and what is not there are the same, as in Go. */
export class JsonField {
  readonly file: string;
  /** `plugins[0].ipam`; empty for the whole. */
  readonly path: string;
  readonly #value: JsonValue | undefined;
  readonly #line: number;

  constructor(
    value: JsonValue | undefined,
    { file, path, line }: { file: string; path: string; line: number },
  ) {
    this.#value = value?.kind === 'null' ? undefined : value;
    this.file = file;
    this.path = path;
    this.#line = value?.line ?? line;
  }

  get absent(): boolean {
    return this.#value === undefined;
  }

  /** Throws an InputError about this field. */
  fail(message: string): never {
    const where = this.path === '' ? message : `${this.path}: ${message}`;
    throw new InputError(where, { file: this.file, line: this.#line });
  }

  #wrong(expected: string): never {
    const value = this.#value;
    return this.fail(
      value === undefined ? 'is required' : `expected ${expected}, found ${WORDS[value.kind]}`,
    );
  }

  #child(value: JsonValue | undefined, step: string): JsonField {
    return new JsonField(value, { file: this.file, path: `${this.path}${step}`, line: this.#line });
  }

  /** The member called `name`, there or not. Throws when this is something other than an object. */
  field(name: string): JsonField {
    const value = this.#value;
    if (value !== undefined && value.kind !== 'object') this.#wrong('an object');
    return this.#child(value?.members.get(name), this.path === '' ? name : `.${name}`);
  }

  /** The names of an object's members. */
  names(): readonly string[] {
    return this.#value?.kind === 'object' ? [...this.#value.members.keys()] : [];
  }

  /** The elements of a list; none when it is not there. */
  elements(): JsonField[] {
    const value = this.#value;
    if (value === undefined) return [];
    if (value.kind !== 'list') return this.#wrong('a list');
    return value.elements.map((element, index) => this.#child(element, `[${index}]`));
  }

  string(): string {
    return this.#value?.kind === 'string' ? this.#value.value : this.#wrong('a string');
  }

  /** A whole number from `least` to `most`. */
  integer(least: number, most: number): number {
    const value = this.#value;
    if (value?.kind !== 'number') return this.#wrong('a number');
    if (!Number.isInteger(value.value) || value.value < least || value.value > most) {
      this.fail(`${value.value} is no whole number from ${least} to ${most}`);
    }
    return value.value;
  }

  boolean(fallback: boolean): boolean {
    if (this.absent) return fallback;
    return this.#value?.kind === 'boolean' ? this.#value.value : this.#wrong('true or false');
  }

  optionalString(): string | undefined {
    return this.absent ? undefined : this.string();
  }

  #parsed<T>(parse: (text: string) => T): T {
    const text = this.string();
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof AddressError) return this.fail(error.message);
      throw error;
    }
  }

  address(): IpAddress {
    return this.#parsed(parseIpAddress);
  }

  /** A network without host bits. */
  prefix(): IpPrefix {
    return this.#parsed(parseIpPrefix);
  }
}
