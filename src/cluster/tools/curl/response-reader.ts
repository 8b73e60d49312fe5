/** An HTTP response as it comes in: the head first, then the body piece by piece, chunks taken apart. */
import {
  decodeLatin1,
  type Framing,
  framingOf,
  type Headers,
  headerOf,
  parseHead,
} from '../../apps/http/http-message.ts';

export interface ResponseHead {
  readonly startLine: string;
  readonly status: number;
  readonly headers: Headers;
  /** Bytes on the wire, the empty line included. */
  readonly size: number;
  /** Length of the body when the head says so. */
  readonly contentLength: number | undefined;
}

export interface ResponseEvents {
  /** `endsWithConnection`: nothing says how long the body is. */
  readonly onHead: (head: ResponseHead, endsWithConnection: boolean) => void;
  readonly onBody: (bytes: Uint8Array) => void;
  readonly onMalformed: () => void;
}

const LF = 10;
/** curl's CURL_MAX_HTTP_HEADER. */
const MAX_HEAD = 102_400;

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

export class ResponseReader {
  readonly #events: ResponseEvents;
  readonly #bodiless: boolean;
  #pending: Uint8Array = new Uint8Array(0);
  #framing: Framing | undefined;
  #left = 0;
  #state: 'head' | 'body' | 'chunk-size' | 'chunk' | 'done' | 'bad' = 'head';

  /** `bodiless`: the answer to HEAD, which has a head only. */
  constructor(events: ResponseEvents, bodiless: boolean) {
    this.#events = events;
    this.#bodiless = bodiless;
  }

  get started(): boolean {
    return this.#state !== 'head' || this.#pending.length > 0;
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  /** Bytes of a body of known length that are still to come. */
  get left(): number {
    return this.#framing?.kind === 'length' ? this.#left : 0;
  }

  /** True when the body goes on until the peer closes. */
  get endsWithConnection(): boolean {
    return this.#state === 'body' && this.#framing?.kind === 'close';
  }

  feed(bytes: Uint8Array): void {
    this.#pending = concat(this.#pending, bytes);
    while (this.#step()) {
      // Each step takes what it can.
    }
  }

  /** Takes one piece out of what is pending; false when more is needed. */
  #step(): boolean {
    switch (this.#state) {
      case 'head':
        return this.#readHead();
      case 'chunk-size':
        return this.#readChunkSize();
      case 'body':
      case 'chunk':
        return this.#readBody();
      case 'done':
      case 'bad':
        return false;
    }
  }

  #take(length: number): Uint8Array {
    const taken = this.#pending.slice(0, length);
    this.#pending = this.#pending.slice(length);
    return taken;
  }

  #refuse(): false {
    this.#state = 'bad';
    this.#events.onMalformed();
    return false;
  }

  #readHead(): boolean {
    const text = decodeLatin1(this.#pending);
    const end = /\r?\n\r?\n/.exec(text);
    if (!'HTTP/'.startsWith(text.slice(0, 5)) || (end === null && text.length > MAX_HEAD))
      return this.#refuse();
    if (end === null) return false;
    const size = end.index + end[0].length;
    this.#take(size);
    const head = parseHead(text.slice(0, end.index));
    const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(head?.startLine ?? '')?.[1];
    if (head === undefined || status === undefined) {
      return this.#refuse();
    }
    const length = headerOf(head.headers, 'content-length');
    const contentLength = length === undefined ? undefined : Number(length);
    const found = { ...head, status: Number(status), size, contentLength };
    // Interim answers are followed by the real one.
    const interim = status.startsWith('1');
    if (!interim) this.#begin(head.headers, Number(status));
    this.#events.onHead(found, !interim && this.endsWithConnection);
    return true;
  }

  #begin(headers: Headers, status: number): void {
    const none = this.#bodiless || status === 204 || status === 304;
    const framing = none ? undefined : (framingOf(headers, { kind: 'close' }) ?? { kind: 'close' });
    this.#framing = framing;
    this.#left = framing?.kind === 'length' ? framing.length : Number.POSITIVE_INFINITY;
    if (framing === undefined || this.#left === 0) this.#state = 'done';
    else this.#state = framing.kind === 'chunked' ? 'chunk-size' : 'body';
  }

  #readBody(): boolean {
    if (this.#pending.length === 0) return false;
    const bytes = this.#take(Math.min(this.#left, this.#pending.length));
    this.#left -= bytes.length;
    this.#events.onBody(bytes);
    if (this.#left > 0) return true;
    this.#state = this.#framing?.kind === 'chunked' ? 'chunk-size' : 'done';
    return true;
  }

  #readChunkSize(): boolean {
    const end = this.#pending.indexOf(LF);
    if (end < 0) return false;
    const line = decodeLatin1(this.#take(end + 1)).trim();
    // The line end behind the chunk before.
    if (line === '') return true;
    const size = Number.parseInt(line, 16);
    if (size > 0) {
      this.#left = size;
      this.#state = 'chunk';
    } else this.#state = 'done';
    return true;
  }
}
