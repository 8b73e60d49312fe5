/** Takes messages out of a stream of bytes, however it is cut up. */
import { decodeLatin1, type Framing, type HttpHead, parseHead } from './http-message.ts';

/** What is done with the parts of a message. */
export interface ParserEvents {
  /** Says how the body is framed; undefined refuses the message. */
  readonly onHead: (head: HttpHead) => Framing | undefined;
  /** A message is whole. */
  readonly onMessage: (head: HttpHead, body: Uint8Array) => void;
  /** The bytes are no HTTP: nothing more is read. */
  readonly onMalformed: () => void;
}

/** Longer heads are refused. */
const MAX_HEAD = 65_536;
const CR = 13;
const LF = 10;

interface Body {
  readonly head: HttpHead;
  readonly framing: Framing;
  pieces: Uint8Array[];
  length: number;
  /** Chunked: bytes left of the present chunk; undefined between chunks. */
  chunkLeft: number | undefined;
  /** Chunked: the last chunk has been read, trailers follow. */
  trailing: boolean;
}

function join(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  const all = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Where the empty line behind a head starts and ends; undefined when it has not come yet. */
function endOfHead(bytes: Uint8Array): { readonly head: number; readonly body: number } | undefined {
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    const next = bytes[at + 1] === CR ? at + 2 : at + 1;
    if (bytes[next] !== LF) continue;
    return { head: bytes[at - 1] === CR ? at - 1 : at, body: next + 1 };
  }
  return undefined;
}

export class HttpParser {
  readonly #events: ParserEvents;
  #pending: Uint8Array | undefined;
  #body: Body | undefined;
  #dead = false;

  constructor(events: ParserEvents) {
    this.#events = events;
  }

  /** True between messages. */
  get isIdle(): boolean {
    return this.#pending === undefined && this.#body === undefined;
  }

  /** Reads `bytes`, which follow those read before. */
  feed(bytes: Uint8Array): void {
    let rest: Uint8Array | undefined = bytes;
    if (this.#pending !== undefined) {
      rest = join([this.#pending, bytes], this.#pending.length + bytes.length);
      this.#pending = undefined;
    }
    while (rest !== undefined && rest.length > 0 && !this.#dead) {
      rest = this.#body === undefined ? this.#readHead(rest) : this.#readBody(this.#body, rest);
    }
  }

  /** The peer closed. Ends a body that goes on until then; false when a message was cut off. */
  end(): boolean {
    const body = this.#body;
    if (body?.framing.kind === 'close') {
      this.#finish(body);
      return true;
    }
    return this.isIdle;
  }

  #refuse(): undefined {
    this.#dead = true;
    this.#events.onMalformed();
    return undefined;
  }

  #keep(bytes: Uint8Array): undefined {
    this.#pending = bytes;
    return undefined;
  }

  #readHead(bytes: Uint8Array): Uint8Array | undefined {
    // RFC 9112 §2.2: empty lines before a message are passed over.
    if (bytes[0] === CR && bytes[1] === LF) return bytes.subarray(2);
    const end = endOfHead(bytes);
    if (end === undefined) return bytes.length > MAX_HEAD ? this.#refuse() : this.#keep(bytes);
    const head = parseHead(decodeLatin1(bytes.subarray(0, end.head)));
    const framing = head === undefined ? undefined : this.#events.onHead(head);
    if (head === undefined || framing === undefined) return this.#refuse();
    const body: Body = { head, framing, pieces: [], length: 0, chunkLeft: undefined, trailing: false };
    this.#body = body;
    if (framing.kind === 'length' && framing.length === 0) this.#finish(body);
    return bytes.subarray(end.body);
  }

  #readBody(body: Body, bytes: Uint8Array): Uint8Array | undefined {
    const { framing } = body;
    switch (framing.kind) {
      case 'close':
        this.#take(body, bytes);
        return undefined;
      case 'length': {
        const part = bytes.subarray(0, framing.length - body.length);
        this.#take(body, part);
        if (body.length === framing.length) this.#finish(body);
        return bytes.subarray(part.length);
      }
      case 'chunked':
        return body.chunkLeft === undefined ? this.#readChunkLine(body, bytes) : this.#readChunk(body, bytes);
    }
  }

  #readChunkLine(body: Body, bytes: Uint8Array): Uint8Array | undefined {
    const end = bytes.indexOf(LF);
    if (end < 0) return bytes.length > MAX_HEAD ? this.#refuse() : this.#keep(bytes);
    const line = decodeLatin1(bytes.subarray(0, end)).trim();
    const rest = bytes.subarray(end + 1);
    if (body.trailing) {
      if (line === '') this.#finish(body);
      return rest;
    }
    const size = /^([0-9a-f]{1,12})\s*(;.*)?$/i.exec(line)?.[1];
    if (size === undefined) return this.#refuse();
    const length = Number.parseInt(size, 16);
    if (length === 0) body.trailing = true;
    // The line end behind the chunk belongs to it.
    else body.chunkLeft = length + 2;
    return rest;
  }

  #readChunk(body: Body, bytes: Uint8Array): Uint8Array {
    const left = body.chunkLeft ?? 0;
    const part = bytes.subarray(0, left);
    const data = part.subarray(0, Math.max(left - 2, 0));
    if (data.length > 0) this.#take(body, data);
    body.chunkLeft = left - part.length > 0 ? left - part.length : undefined;
    return bytes.subarray(part.length);
  }

  #take(body: Body, bytes: Uint8Array): void {
    body.pieces.push(bytes);
    body.length += bytes.length;
  }

  #finish(body: Body): void {
    this.#body = undefined;
    this.#events.onMessage(body.head, join(body.pieces, body.length));
  }
}
