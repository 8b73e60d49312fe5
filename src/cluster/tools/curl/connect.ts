/** How curl gets a connection: the addresses of a name one after the other, and what it says about each. */
import { SOCKET_ERRORS, SocketError, type SocketErrorCode } from '../../../netstack/sockets/socket-error.ts';
import type { TcpConnection } from '../../../netstack/sockets/tcp/connection.ts';
import { formatIpAddress, type IpAddress, tryParseIpAddress } from '../../../wire/ip-address.ts';
import { passTime, type ToolContext } from '../tool.ts';
import { CODE, type Failure } from './failure.ts';
import type { CurlOptions } from './options.ts';
import type { HttpUrl } from './url.ts';

/** Without --connect-timeout (DEFAULT_CONNECT_TIMEOUT). */
const CONNECT_TIMEOUT = 300;

/** A connection attempt that may still succeed. */
type Attempt =
  | { readonly kind: 'connected'; readonly connection: TcpConnection }
  | { readonly kind: 'failed'; readonly code: SocketErrorCode }
  | { readonly kind: 'timed-out' };

export interface ConnectParts {
  readonly options: CurlOptions;
  readonly url: HttpUrl;
  /** When the transfer began, virtual seconds. */
  readonly begun: number;
  /** For the lines behind `* `. */
  readonly tell: (text: string) => void;
}

class Connector {
  readonly #context: ToolContext;
  readonly #parts: ConnectParts;

  constructor(context: ToolContext, parts: ConnectParts) {
    this.#context = context;
    this.#parts = parts;
  }

  get #elapsed(): number {
    return this.#context.scheduler.now() - this.#parts.begun;
  }

  get #elapsedMs(): number {
    return Math.floor(this.#elapsed * 1000 + 1e-6);
  }

  /** Tries the addresses one after the other. */
  first(addresses: readonly IpAddress[]): TcpConnection | Failure {
    const { host, port } = this.#parts.url;
    let last: SocketErrorCode = 'ECONNREFUSED';
    for (const address of addresses) {
      const shown = typeof address === 'number' ? formatIpAddress(address) : `[${formatIpAddress(address)}]`;
      this.#parts.tell(`  Trying ${shown}:${port}...`);
      const attempt = this.#attempt(address);
      if (attempt.kind === 'connected') return attempt.connection;
      if (attempt.kind === 'timed-out') return this.#connectTimeout(address);
      last = attempt.code;
    }
    const why = last === 'ETIMEDOUT' ? 'Timeout was reached' : "Couldn't connect to server";
    const message = `Failed to connect to ${host} port ${port} after ${this.#elapsedMs} ms: ${why}`;
    this.#parts.tell(message);
    return { code: last === 'ETIMEDOUT' ? CODE.timeout : CODE.connect, message };
  }

  #connectTimeout(address: IpAddress): Failure {
    const { host, port } = this.#parts.url;
    const { maxTime = Number.POSITIVE_INFINITY } = this.#parts.options;
    if (this.#elapsed >= maxTime) {
      const message = `Connection timed out after ${this.#elapsedMs} milliseconds`;
      this.#parts.tell(message);
      return { code: CODE.timeout, message };
    }
    const family = typeof address === 'number' ? 'ipv4' : 'ipv6';
    this.#parts.tell(`${family} connect timeout after ${this.#elapsedMs}ms, move on!`);
    const message = `Failed to connect to ${host} port ${port} after ${this.#elapsedMs} ms: Timeout was reached`;
    this.#parts.tell(message);
    return { code: CODE.timeout, message };
  }

  get #connectDeadline(): number {
    const { maxTime = Number.POSITIVE_INFINITY, connectTimeout = CONNECT_TIMEOUT } = this.#parts.options;
    return this.#parts.begun + Math.min(maxTime, connectTimeout);
  }

  #attempt(address: IpAddress): Attempt {
    const { namespace, scheduler } = this.#context;
    const { port } = this.#parts.url;
    let attempt: Attempt | undefined;
    let connection: TcpConnection;
    try {
      connection = namespace.sockets.connect({
        dst: address,
        port,
        ...this.#origin(address),
        onConnect: (made) => {
          attempt = { kind: 'connected', connection: made };
        },
        onClose: (error) => {
          attempt = { kind: 'failed', code: error ?? 'ECONNRESET' };
        },
      });
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      this.#parts.tell(
        `Immediate connect fail for ${formatIpAddress(address)}: ${SOCKET_ERRORS[error.code]}`,
      );
      return { kind: 'failed', code: error.code };
    }
    passTime(scheduler, () => attempt === undefined, this.#connectDeadline);
    if (attempt === undefined) {
      connection.abort();
      return { kind: 'timed-out' };
    }
    if (attempt.kind === 'failed') {
      const where = `${formatIpAddress(address)} port ${port}`;
      this.#parts.tell(`connect to ${where} failed: ${SOCKET_ERRORS[attempt.code]}`);
    }
    return attempt;
  }

  #origin(destination: IpAddress) {
    const { interface: from, localPort } = this.#parts.options;
    const { namespace } = this.#context;
    const src =
      from === undefined
        ? undefined
        : (tryParseIpAddress(from) ?? namespace.book.masqueradeAddress(from, destination));
    return {
      ...(src === undefined ? {} : { src }),
      ...(localPort === undefined ? {} : { sport: localPort }),
    };
  }
}

/** The first of `addresses` that takes the connection, or why none did. */
export function connectFirst(
  context: ToolContext,
  parts: ConnectParts,
  addresses: readonly IpAddress[],
): TcpConnection | Failure {
  return new Connector(context, parts).first(addresses);
}
