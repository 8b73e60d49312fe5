/** One request of curl: resolve, connect, send, read, and everything it says on the way. */
import { SOCKET_ERRORS, SocketError, type SocketErrorCode } from '../../../netstack/sockets/socket-error.ts';
import type { TcpConnection } from '../../../netstack/sockets/tcp/connection.ts';
import { formatIpAddress, type IpAddress, tryParseIpAddress } from '../../../wire/ip-address.ts';
import { encodeText, headerOf } from '../../apps/http/http-message.ts';
import { passTime, resolveHost, type ToolContext } from '../tool.ts';
import type { CurlOptions } from './options.ts';
import { type ResponseHead, ResponseReader } from './response-reader.ts';
import { type HttpUrl, hostHeader } from './url.ts';
import type { TransferFacts } from './write-out.ts';

/** curl's own exit codes, and what curl_easy_strerror says of those that have no better text. */
const CODE = {
  resolve: 6,
  connect: 7,
  partial: 18,
  http: 22,
  timeout: 28,
  empty: 52,
  receive: 56,
  weird: 8,
} as const;

/** Without --connect-timeout (DEFAULT_CONNECT_TIMEOUT). */
const CONNECT_TIMEOUT = 300;

interface Failure {
  readonly code: number;
  readonly message: string;
}

export interface TransferResult {
  readonly facts: TransferFacts;
  readonly head: ResponseHead | undefined;
  readonly failure: Failure | undefined;
}

/** Bytes as a terminal would show them. */
const TERMINAL = new TextDecoder();

/** A connection attempt that may still succeed. */
type Attempt =
  | { readonly kind: 'connected'; readonly connection: TcpConnection }
  | { readonly kind: 'failed'; readonly code: SocketErrorCode }
  | { readonly kind: 'timed-out' };

export class Transfer {
  readonly #context: ToolContext;
  readonly #options: CurlOptions;
  readonly #url: HttpUrl;
  readonly #method: string;
  readonly #begun: number;
  #timeNamelookup = 0;
  #timeConnect = 0;
  #timeStart = 0;
  #sizeDownload = 0;
  #sizeHeader = 0;
  #sizeRequest = 0;
  #head: ResponseHead | undefined;
  #local = { address: '', port: 0 };
  #remote = { address: '', port: 0 };
  #connects = 0;

  constructor(context: ToolContext, options: CurlOptions, url: HttpUrl) {
    this.#context = context;
    this.#options = options;
    this.#url = url;
    this.#begun = context.scheduler.now();
    this.#method = options.method ?? (options.head ? 'HEAD' : options.data === undefined ? 'GET' : 'POST');
  }

  /** Does it all. */
  run(): TransferResult {
    const failure = this.#perform();
    const { url } = { url: this.#url.text };
    return {
      head: this.#head,
      failure,
      facts: {
        url,
        method: this.#method,
        httpCode: this.#head?.status ?? 0,
        httpVersion: /^HTTP\/(\S+)/.exec(this.#head?.startLine ?? '')?.[1] ?? '0',
        contentType: this.#head === undefined ? '' : (headerOf(this.#head.headers, 'content-type') ?? ''),
        sizeDownload: this.#sizeDownload,
        sizeUpload: this.#options.data === undefined ? 0 : encodeText(this.#options.data).length,
        sizeHeader: this.#sizeHeader,
        sizeRequest: this.#sizeRequest,
        numConnects: this.#connects,
        numRedirects: 0,
        redirectUrl: '',
        local: this.#local,
        remote: this.#remote,
        timeNamelookup: this.#timeNamelookup,
        timeConnect: this.#timeConnect,
        timeStarttransfer: this.#timeStart,
        timeTotal: this.#elapsed,
        exitCode: failure?.code ?? 0,
        errorMessage: failure?.message ?? '',
      },
    };
  }

  get #elapsed(): number {
    return this.#context.scheduler.now() - this.#begun;
  }

  get #elapsedMs(): number {
    return Math.floor(this.#elapsed * 1000 + 1e-6);
  }

  /** Lines behind `* `. */
  #tell(text: string): void {
    if (this.#options.verbose) this.#context.complain(`* ${text}\n`);
  }

  #perform(): Failure | undefined {
    const addresses = this.#addresses();
    if (addresses.length === 0) {
      this.#tell(`Could not resolve host: ${this.#url.host}`);
      this.#tell('Closing connection 0');
      return { code: CODE.resolve, message: `Could not resolve host: ${this.#url.host}` };
    }
    this.#timeNamelookup = this.#elapsed;
    const connection = this.#connect(addresses);
    if (!('local' in connection)) {
      this.#tell('Closing connection 0');
      return connection;
    }
    this.#timeConnect = this.#elapsed;
    const { local, remote } = connection;
    this.#local = { address: formatIpAddress(local.address), port: local.port };
    this.#remote = { address: formatIpAddress(remote.address), port: remote.port };
    this.#connects = 1;
    this.#tell(`Connected to ${this.#url.host} (${this.#remote.address}) port ${remote.port} (#0)`);
    return this.#exchange(connection);
  }

  #addresses(): readonly IpAddress[] {
    const { host, port } = this.#url;
    for (const entry of this.#options.resolve) {
      const [, name, number, address = ''] = /^([^:]+):(\d+):\[?([^\]]+)\]?$/.exec(entry) ?? [];
      const found = tryParseIpAddress(address);
      if (name === host && Number(number) === port && found !== undefined) return [found];
    }
    const found = resolveHost(this.#context, host, this.#options.family);
    return found.kind === 'found' ? found.addresses : [];
  }

  /** Tries the addresses one after the other. */
  #connect(addresses: readonly IpAddress[]): TcpConnection | Failure {
    const { host, port } = this.#url;
    let last: SocketErrorCode = 'ECONNREFUSED';
    for (const address of addresses) {
      const shown = typeof address === 'number' ? formatIpAddress(address) : `[${formatIpAddress(address)}]`;
      this.#tell(`  Trying ${shown}:${port}...`);
      const attempt = this.#attempt(address);
      if (attempt.kind === 'connected') return attempt.connection;
      if (attempt.kind === 'timed-out') return this.#connectTimeout(address);
      last = attempt.code;
    }
    const why = last === 'ETIMEDOUT' ? 'Timeout was reached' : "Couldn't connect to server";
    const message = `Failed to connect to ${host} port ${port} after ${this.#elapsedMs} ms: ${why}`;
    this.#tell(message);
    return { code: last === 'ETIMEDOUT' ? CODE.timeout : CODE.connect, message };
  }

  #connectTimeout(address: IpAddress): Failure {
    const { host, port } = this.#url;
    const { maxTime = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#elapsed >= maxTime) {
      const message = `Connection timed out after ${this.#elapsedMs} milliseconds`;
      this.#tell(message);
      return { code: CODE.timeout, message };
    }
    const family = typeof address === 'number' ? 'ipv4' : 'ipv6';
    this.#tell(`${family} connect timeout after ${this.#elapsedMs}ms, move on!`);
    const message = `Failed to connect to ${host} port ${port} after ${this.#elapsedMs} ms: Timeout was reached`;
    this.#tell(message);
    return { code: CODE.timeout, message };
  }

  get #connectDeadline(): number {
    const { maxTime = Number.POSITIVE_INFINITY, connectTimeout = CONNECT_TIMEOUT } = this.#options;
    return this.#begun + Math.min(maxTime, connectTimeout);
  }

  #attempt(address: IpAddress): Attempt {
    const { namespace, scheduler } = this.#context;
    const { port } = this.#url;
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
      this.#tell(`Immediate connect fail for ${formatIpAddress(address)}: ${SOCKET_ERRORS[error.code]}`);
      return { kind: 'failed', code: error.code };
    }
    passTime(scheduler, () => attempt === undefined, this.#connectDeadline);
    if (attempt === undefined) {
      connection.abort();
      return { kind: 'timed-out' };
    }
    if (attempt.kind === 'failed') {
      const where = `${formatIpAddress(address)} port ${port}`;
      this.#tell(`connect to ${where} failed: ${SOCKET_ERRORS[attempt.code]}`);
    }
    return attempt;
  }

  #origin(destination: IpAddress) {
    const { interface: from, localPort } = this.#options;
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

  #requestText(): string {
    const { headers, data, userAgent } = this.#options;
    const given = headers.map((line) => {
      const colon = line.indexOf(':');
      return { line, key: line.slice(0, colon).trim().toLowerCase(), value: line.slice(colon + 1).trim() };
    });
    const replaced = (name: string, value: string): string => {
      const own = given.find(({ key }) => key === name.toLowerCase());
      if (own === undefined) return `${name}: ${value}\r\n`;
      // `-H 'Host:'` takes the header away.
      return own.value === '' ? '' : `${own.line}\r\n`;
    };
    const standard = ['host', 'user-agent', 'accept', 'content-length', 'content-type'];
    const body =
      data === undefined
        ? []
        : [
            replaced('Content-Length', String(encodeText(data).length)),
            replaced('Content-Type', 'application/x-www-form-urlencoded'),
          ];
    const others = given.filter(({ key, value }) => value !== '' && !standard.includes(key));
    return [
      `${this.#method} ${this.#url.path} HTTP/1.1\r\n`,
      replaced('Host', hostHeader(this.#url)),
      replaced('User-Agent', userAgent),
      replaced('Accept', '*/*'),
      ...others.map(({ line }) => `${line}\r\n`),
      ...body,
      '\r\n',
    ].join('');
  }

  #exchange(connection: TcpConnection): Failure | undefined {
    const { scheduler, complain } = this.#context;
    const { data, verbose, maxTime, head } = this.#options;
    const request = this.#requestText();
    this.#sizeRequest = encodeText(request).length;
    let ended = false;
    let error: SocketErrorCode | undefined;
    let malformed = false;
    const reader = new ResponseReader(
      {
        onHead: (found, endsWithConnection) => this.#onHead(found, endsWithConnection),
        onBody: (bytes) => this.#onBody(bytes),
        onMalformed: () => {
          malformed = true;
        },
      },
      head,
    );
    connection.callbacks = {
      onData: (bytes) => {
        if (this.#timeStart === 0) this.#timeStart = this.#elapsed;
        reader.feed(bytes);
      },
      onEnd: () => {
        ended = true;
      },
      onClose: (code) => {
        ended = true;
        error = code;
      },
    };
    if (verbose) {
      const lines = request.split('\r\n').slice(0, -1);
      for (const line of lines) complain(`> ${line}\r\n`);
    }
    connection.send(encodeText(`${request}${data ?? ''}`));
    const stop = () =>
      reader.done || ended || malformed || (this.#options.failOnError && (this.#head?.status ?? 0) >= 400);
    passTime(scheduler, () => !stop(), maxTime === undefined ? undefined : this.#begun + maxTime);
    const failure = this.#judge(reader, { ended, error, malformed });
    if (failure === undefined && !ended) this.#tell(`Connection #0 to host ${this.#url.host} left intact`);
    else this.#tell('Closing connection 0');
    // The program ends, and its connections with it.
    connection.close();
    return failure;
  }

  #judge(
    reader: ResponseReader,
    {
      ended,
      error,
      malformed,
    }: { readonly ended: boolean; readonly error: SocketErrorCode | undefined; readonly malformed: boolean },
  ): Failure | undefined {
    const failed = (code: number, message: string): Failure => {
      this.#tell(message);
      return { code, message };
    };
    const status = this.#head?.status ?? 0;
    if (this.#options.failOnError && status >= 400) {
      return failed(CODE.http, `The requested URL returned error: ${status}`);
    }
    if (malformed) return failed(1, 'Received HTTP/0.9 when not allowed');
    if (reader.done) return undefined;
    if (error !== undefined) return failed(CODE.receive, `Recv failure: ${SOCKET_ERRORS[error]}`);
    if (!ended) {
      const of = this.#head?.contentLength;
      const got = `${this.#sizeDownload}${of === undefined ? '' : ` out of ${of}`} bytes received`;
      return failed(CODE.timeout, `Operation timed out after ${this.#elapsedMs} milliseconds with ${got}`);
    }
    if (this.#head === undefined && !reader.started) return failed(CODE.empty, 'Empty reply from server');
    if (reader.endsWithConnection) return undefined;
    return failed(CODE.partial, `transfer closed with ${reader.left} bytes remaining to read`);
  }

  #onHead(head: ResponseHead, endsWithConnection: boolean): void {
    this.#head = head;
    this.#sizeHeader += head.size;
    const lines = [head.startLine, ...head.headers.map(([name, value]) => `${name}: ${value}`), ''];
    const { verbose, include, failOnError } = this.#options;
    if (verbose) {
      for (const line of lines.slice(0, -1)) this.#context.complain(`< ${line}\r\n`);
      if (endsWithConnection) this.#tell('no chunk, no close, no size. Assume close to signal end');
      this.#context.complain('< \r\n');
    }
    if (include && !(failOnError && head.status >= 400))
      this.#print(lines.map((line) => `${line}\r\n`).join(''));
  }

  #onBody(bytes: Uint8Array): void {
    if (this.#options.failOnError && (this.#head?.status ?? 0) >= 400) return;
    this.#sizeDownload += bytes.length;
    this.#print(TERMINAL.decode(bytes));
  }

  #print(text: string): void {
    if (!this.#options.discard) this.#context.print(text);
  }
}
