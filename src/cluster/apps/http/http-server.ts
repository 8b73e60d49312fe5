/** An HTTP/1.1 server on the sockets of a namespace. */
import type { SocketAddress } from '../../../netstack/sockets/socket-address.ts';
import type { Sockets } from '../../../netstack/sockets/sockets.ts';
import type { TcpConnection } from '../../../netstack/sockets/tcp/connection.ts';
import type { TcpListener } from '../../../netstack/sockets/tcp/listener.ts';
import type { IpAddress } from '../../../wire/ip-address.ts';
import {
  emitHead,
  encodeText,
  framingOf,
  type Headers,
  type HttpHead,
  headerOf,
  keepsAlive,
  NO_BODY,
} from './http-message.ts';
import { HttpParser } from './http-parser.ts';

export interface HttpRequest {
  readonly method: string;
  /** The path with its query, as asked for. */
  readonly target: string;
  readonly version: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly client: SocketAddress;
  readonly server: SocketAddress;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers?: Headers;
  readonly body: Uint8Array | string;
}

export type HttpHandler = (request: HttpRequest) => HttpResponse;

export interface HttpServerOptions {
  readonly address?: IpAddress;
  readonly port: number | 'any';
  readonly handler: HttpHandler;
}

/** Reason phrases (RFC 9110 §15). */
const REASONS: ReadonlyMap<number, string> = new Map([
  [100, 'Continue'],
  [200, 'OK'],
  [204, 'No Content'],
  [400, 'Bad Request'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [500, 'Internal Server Error'],
  [503, 'Service Unavailable'],
]);

const CONTINUE = encodeText(emitHead({ startLine: 'HTTP/1.1 100 Continue', headers: [] }));
const BAD_REQUEST: HttpResponse = { status: 400, body: 'Bad Request\n' };

const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (\S+) (HTTP\/1\.[01])$/;

/** Bytes that small heads and bodies share one segment with. */
const JOINED = 65_536;

interface ResponseFrame {
  readonly version: string;
  readonly alive: boolean;
  readonly withBody: boolean;
}

function emitResponse(
  { status, headers = [], body }: HttpResponse,
  { alive, withBody }: ResponseFrame,
): Uint8Array[] {
  const bytes = typeof body === 'string' ? encodeText(body) : body;
  const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/octet-stream';
  const own: [string, string][] =
    headerOf(headers, 'content-type') === undefined ? [['Content-Type', type]] : [];
  const all: Headers = [
    ...headers,
    ...own,
    ['Content-Length', String(bytes.length)],
    ...(alive ? [] : ([['Connection', 'close']] as const)),
  ];
  const head = encodeText(
    emitHead({ startLine: `HTTP/1.1 ${status} ${REASONS.get(status) ?? ''}`.trimEnd(), headers: all }),
  );
  if (!withBody || bytes.length === 0) return [head];
  if (bytes.length > JOINED) return [head, bytes];
  const joined = new Uint8Array(head.length + bytes.length);
  joined.set(head);
  joined.set(bytes, head.length);
  return [joined];
}

/** One connection of a client: requests one after another. */
function serve(connection: TcpConnection, handler: HttpHandler): void {
  const respond = (response: HttpResponse, frame: ResponseFrame) => {
    for (const part of emitResponse(response, frame)) connection.send(part);
    if (!frame.alive) connection.close();
  };
  const onMessage = ({ startLine, headers }: HttpHead, body: Uint8Array) => {
    const [, method = '', target = '', version = ''] = REQUEST_LINE.exec(startLine) ?? [];
    const alive = keepsAlive(version, headers);
    const request = {
      method,
      target,
      version,
      headers,
      body,
      client: connection.remote,
      server: connection.local,
    };
    respond(handler(request), { version, alive, withBody: method !== 'HEAD' });
  };
  const parser = new HttpParser({
    onHead: ({ startLine, headers }) => {
      if (!REQUEST_LINE.test(startLine)) return undefined;
      const framing = framingOf(headers, NO_BODY);
      const waits = headerOf(headers, 'expect')?.toLowerCase() === '100-continue';
      if (waits && framing !== undefined && framing !== NO_BODY) connection.send(CONTINUE);
      return framing;
    },
    onMessage,
    onMalformed: () => respond(BAD_REQUEST, { version: 'HTTP/1.1', alive: false, withBody: true }),
  });
  connection.callbacks = {
    onData: (data) => parser.feed(data),
    onEnd: () => connection.close(),
  };
}

/** Serves HTTP. Throws SocketError when the port is taken. */
export function startHttpServer(
  sockets: Sockets,
  { address, port, handler }: HttpServerOptions,
): TcpListener {
  return sockets.listen({
    address,
    port,
    noDelay: true,
    onConnection: (connection) => serve(connection, handler),
  });
}
