/** An HTTP/1.1 client: requests over one connection, which stays open between them. */
import type { SocketAddress } from '../../../netstack/sockets/socket-address.ts';
import { SocketError, type SocketErrorCode } from '../../../netstack/sockets/socket-error.ts';
import type { Sockets } from '../../../netstack/sockets/sockets.ts';
import type { TcpConnection } from '../../../netstack/sockets/tcp/connection.ts';
import type { Timer } from '../../../sim/scheduler.ts';
import type { IpAddress } from '../../../wire/ip-address.ts';
import {
  emitHead,
  encodeText,
  type Framing,
  framingOf,
  type Headers,
  type HttpHead,
  headerOf,
  keepsAlive,
  NO_BODY,
} from './http-message.ts';
import { HttpParser } from './http-parser.ts';

export interface ClientOptions {
  readonly dst: IpAddress;
  readonly port: number;
  readonly src?: IpAddress | undefined;
  readonly sport?: number | undefined;
  /** Seconds for the connection to be made; absent: as long as TCP tries. */
  readonly connectTimeout?: number;
}

export interface ClientRequest {
  readonly method?: string;
  readonly target: string;
  /** `Host` is added when it is missing. */
  readonly headers?: Headers;
  readonly host: string;
  readonly body?: Uint8Array;
  /** Seconds from asking to the last byte. */
  readonly timeout?: number;
}

export interface ClientResponse {
  readonly kind: 'response';
  readonly status: number;
  readonly startLine: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  /** Virtual seconds from asking: the connection stood, the first byte came, the last byte came. */
  readonly connectedAfter: number;
  readonly firstByteAfter: number;
  readonly doneAfter: number;
}

export interface ClientFailure {
  readonly kind: 'failure';
  /** `timeout`: of ours; `empty`: the server closed without a word; `cut`: in the middle of its answer. */
  readonly reason: SocketErrorCode | 'timeout' | 'empty' | 'cut' | 'malformed';
  /** Before the connection stood, or after. */
  readonly phase: 'connect' | 'transfer';
  readonly after: number;
}

export type ClientResult = ClientResponse | ClientFailure;

interface Exchange {
  readonly request: ClientRequest;
  readonly done: (result: ClientResult) => void;
  readonly askedAt: number;
  firstByteAt: number | undefined;
  timer: Timer | undefined;
}

const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: .*)?$/;

function emitRequest({ method = 'GET', target, headers = [], host, body }: ClientRequest): Uint8Array {
  const all: Headers = [
    ...(headerOf(headers, 'host') === undefined ? ([['Host', host]] as const) : []),
    ...headers,
    ...(body === undefined ? [] : ([['Content-Length', String(body.length)]] as const)),
  ];
  const head = encodeText(emitHead({ startLine: `${method} ${target} HTTP/1.1`, headers: all }));
  if (body === undefined || body.length === 0) return head;
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}

export class HttpClient {
  readonly #sockets: Sockets;
  readonly #options: ClientOptions;
  #connection: TcpConnection | undefined;
  #parser: HttpParser | undefined;
  #connected = false;
  #connectedAt = 0;
  #connectTimer: Timer | undefined;
  #current: Exchange | undefined;
  readonly #waiting: Exchange[] = [];

  constructor(sockets: Sockets, options: ClientOptions) {
    this.#sockets = sockets;
    this.#options = options;
  }

  get #now(): number {
    return this.#sockets.network.scheduler.now();
  }

  /** Asks; `done` is called once. Requests wait for the answers to those before them. */
  request(request: ClientRequest, done: (result: ClientResult) => void): void {
    const exchange: Exchange = {
      request,
      done,
      askedAt: this.#now,
      firstByteAt: undefined,
      timer: undefined,
    };
    this.#waiting.push(exchange);
    if (request.timeout !== undefined) {
      exchange.timer = this.#sockets.network.scheduler.after(request.timeout, () => this.#timeOut(exchange));
    }
    if (this.#current === undefined) this.#next();
  }

  /** Closes the connection when nothing is being asked. */
  close(): void {
    this.#drop()?.close();
  }

  #next(): void {
    const exchange = this.#waiting.shift();
    if (exchange === undefined) return;
    this.#current = exchange;
    if (this.#connection === undefined) this.#connect();
    if (this.#connected) this.#ask(exchange);
  }

  #ask({ request }: Exchange): void {
    this.#connection?.send(emitRequest(request));
  }

  #connect(): void {
    this.#connected = false;
    this.#parser = new HttpParser({
      onHead: (head) => this.#framing(head),
      onMessage: (head, body) => this.#answered(head, body),
      onMalformed: () => this.#fail('malformed'),
    });
    const { connectTimeout, ...where } = this.#options;
    try {
      this.#connection = this.#sockets.connect({
        ...where,
        noDelay: true,
        onConnect: () => {
          this.#connected = true;
          this.#connectedAt = this.#now;
          this.#connectTimer?.cancel();
          if (this.#current !== undefined) this.#ask(this.#current);
        },
        onData: (data) => {
          if (this.#current !== undefined) this.#current.firstByteAt ??= this.#now;
          this.#parser?.feed(data);
        },
        onEnd: () => this.#ended(),
        onClose: (error) => {
          if (error === undefined) this.#ended();
          else this.#fail(error);
        },
      });
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      this.#fail(error.code);
      return;
    }
    if (connectTimeout === undefined) return;
    this.#connectTimer = this.#sockets.network.scheduler.after(connectTimeout, () => this.#fail('timeout'));
  }

  #framing({ startLine, headers }: HttpHead): Framing | undefined {
    const status = Number(STATUS_LINE.exec(startLine)?.[1] ?? Number.NaN);
    if (Number.isNaN(status)) return undefined;
    const bodiless =
      this.#current?.request.method === 'HEAD' || status < 200 || status === 204 || status === 304;
    return bodiless ? NO_BODY : framingOf(headers, { kind: 'close' });
  }

  #answered({ startLine, headers }: HttpHead, body: Uint8Array): void {
    const [version = ''] = startLine.split(' ', 1);
    const status = Number(STATUS_LINE.exec(startLine)?.[1]);
    // 100 Continue and its kind announce the answer.
    if (status < 200) return;
    const exchange = this.#current;
    const connection = this.#connection;
    if (exchange === undefined || connection === undefined) return;
    const asksToClose = !keepsAlive('HTTP/1.1', exchange.request.headers ?? []);
    if (asksToClose || !keepsAlive(version, headers)) this.#drop()?.close();
    const now = this.#now;
    this.#settle(exchange, {
      kind: 'response',
      status,
      startLine,
      headers,
      body,
      local: connection.local,
      remote: connection.remote,
      connectedAfter: Math.max(this.#connectedAt - exchange.askedAt, 0),
      firstByteAfter: (exchange.firstByteAt ?? now) - exchange.askedAt,
      doneAfter: now - exchange.askedAt,
    });
  }

  #ended(): void {
    if (this.#connection === undefined) return;
    const whole = this.#parser?.end() ?? true;
    if (this.#current !== undefined) this.#fail(whole ? 'empty' : 'cut');
    else this.#drop()?.close();
  }

  #timeOut(exchange: Exchange): void {
    if (exchange === this.#current) {
      this.#fail('timeout');
      return;
    }
    const index = this.#waiting.indexOf(exchange);
    if (index >= 0) this.#waiting.splice(index, 1);
    exchange.done({
      kind: 'failure',
      reason: 'timeout',
      phase: 'connect',
      after: this.#now - exchange.askedAt,
    });
  }

  #fail(reason: ClientFailure['reason']): void {
    const phase = this.#connected ? 'transfer' : 'connect';
    this.#drop()?.close();
    const exchange = this.#current;
    if (exchange === undefined) return;
    this.#settle(exchange, { kind: 'failure', reason, phase, after: this.#now - exchange.askedAt });
  }

  #settle(exchange: Exchange, result: ClientResult): void {
    exchange.timer?.cancel();
    this.#current = undefined;
    exchange.done(result);
    if (this.#current === undefined) this.#next();
  }

  /** Forgets the connection, which hears nothing of us any more. */
  #drop(): TcpConnection | undefined {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#connectTimer?.cancel();
    this.#connected = false;
    if (connection !== undefined) connection.callbacks = {};
    return connection;
  }
}
