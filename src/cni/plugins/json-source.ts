/**
 * JSON with places: a reader that knows on which line every value stands, so that errors in configuration files
 * can name it. RFC 8259; duplicate keys are refused, as one of them would have no effect.
 */
import { InputError } from '../../sim/input-error.ts';

export type JsonValue =
  | { readonly kind: 'object'; readonly line: number; readonly members: ReadonlyMap<string, JsonValue> }
  | { readonly kind: 'list'; readonly line: number; readonly elements: readonly JsonValue[] }
  | { readonly kind: 'string'; readonly line: number; readonly value: string }
  | { readonly kind: 'number'; readonly line: number; readonly value: number }
  | { readonly kind: 'boolean'; readonly line: number; readonly value: boolean }
  | { readonly kind: 'null'; readonly line: number };

const TOKEN =
  /[ \t\r]*(?:(\n)|([{}[\],:])|("(?:[^"\\\n]|\\.)*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])|(true|false|null)(?!\w))/y;
/** Deeper nesting than any configuration has. */
const MAX_DEPTH = 100;

interface Token {
  readonly text: string;
  readonly line: number;
}

class JsonReader {
  readonly #text: string;
  readonly #file: string;
  #at = 0;
  #line = 1;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  read(): JsonValue {
    const value = this.#value(this.#next('a value'), 0);
    const rest = this.#peek();
    if (rest !== undefined) throw this.#error(`${rest.text} after the end of the JSON value`, rest.line);
    return value;
  }

  #error(message: string, line: number): InputError {
    return new InputError(`not valid JSON: ${message}`, { file: this.#file, line });
  }

  /** The next token; undefined at the end. */
  #peek(): Token | undefined {
    const [at, line] = [this.#at, this.#line];
    const token = this.#take();
    this.#at = at;
    this.#line = line;
    return token;
  }

  #take(): Token | undefined {
    for (;;) {
      TOKEN.lastIndex = this.#at;
      const match = TOKEN.exec(this.#text);
      if (match === null) {
        const rest = this.#text.slice(this.#at).trimStart();
        if (rest === '') return undefined;
        throw this.#error(`unexpected ${JSON.stringify(rest.slice(0, 12))}`, this.#line);
      }
      this.#at = TOKEN.lastIndex;
      if (match[1] === undefined) return { text: match[0].trimStart(), line: this.#line };
      this.#line++;
    }
  }

  #next(expected: string): Token {
    const token = this.#take();
    if (token === undefined) throw this.#error(`the text ends where ${expected} is expected`, this.#line);
    return token;
  }

  #value({ text, line }: Token, depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw this.#error(`nested deeper than ${MAX_DEPTH}`, line);
    if (text === '{') return { kind: 'object', line, members: this.#members(depth) };
    if (text === '[') return { kind: 'list', line, elements: this.#elements(depth) };
    if (text.startsWith('"')) return { kind: 'string', line, value: this.#string(text, line) };
    if (text === 'true' || text === 'false') return { kind: 'boolean', line, value: text === 'true' };
    if (text === 'null') return { kind: 'null', line };
    if (/^[-\d]/.test(text)) return { kind: 'number', line, value: Number(text) };
    throw this.#error(`unexpected ${text}`, line);
  }

  #string(text: string, line: number): string {
    try {
      return String(JSON.parse(text));
    } catch {
      throw this.#error(`bad escape in ${text}`, line);
    }
  }

  #members(depth: number): Map<string, JsonValue> {
    const members = new Map<string, JsonValue>();
    let token = this.#next('a name or }');
    while (token.text !== '}') {
      if (!token.text.startsWith('"')) throw this.#error(`expected a name, found ${token.text}`, token.line);
      const name = this.#string(token.text, token.line);
      const colon = this.#next("':'");
      if (colon.text !== ':') throw this.#error(`expected ':', found ${colon.text}`, colon.line);
      if (members.has(name)) throw this.#error(`${JSON.stringify(name)} is given twice`, token.line);
      members.set(name, this.#value(this.#next('a value'), depth + 1));
      token = this.#separator('}');
    }
    return members;
  }

  #elements(depth: number): JsonValue[] {
    const elements: JsonValue[] = [];
    let token = this.#next('a value or ]');
    while (token.text !== ']') {
      elements.push(this.#value(token, depth + 1));
      token = this.#separator(']');
    }
    return elements;
  }

  /** What follows a value: the closing bracket, or what comes after a comma. */
  #separator(closing: string): Token {
    const token = this.#next(`',' or '${closing}'`);
    if (token.text === closing) return token;
    if (token.text !== ',')
      throw this.#error(`expected ',' or '${closing}', found ${token.text}`, token.line);
    const next = this.#next('a value');
    if (next.text === closing) throw this.#error(`a comma before '${closing}'`, next.line);
    return next;
  }
}

/** Reads `text`; `file` is its name for messages. Throws InputError with the line of what is no JSON. */
export function parseJsonSource(text: string, file: string): JsonValue {
  return new JsonReader(text, file).read();
}
