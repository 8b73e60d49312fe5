/** One request of curl: resolve, connect, send, read, and everything it says on the way. */
import { SOCKET_ERRORS, type SocketErrorCode } from '../../../netstack/sockets/socket-error.ts';
import type { TcpConnection } from '../../../netstack/sockets/tcp/connection.ts';
import { formatIpAddress, type IpAddress, tryParseIpAddress } from '../../../wire/ip-address.ts';
import { encodeText, headerOf } from '../../apps/http/http-message.ts';
import { passTime, resolveHost, type ToolContext } from '../tool.ts';
import { connectFirst } from './connect.ts';
import { CODE, type Failure } from './failure.ts';
import type { CurlOptions } from './options.ts';
import { requestText } from './request-text.ts';
import { type ResponseHead, ResponseReader } from './response-reader.ts';
import type { HttpUrl } from './url.ts';
import type { TransferFacts } from './write-out.ts';

export interface TransferResult {
  readonly facts: TransferFacts;
  readonly head: ResponseHead | undefined;
  readonly failure: Failure | undefined;
}

/** Bytes as a terminal would show them. */
const TERMINAL = new TextDecoder();

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
    const connection = connectFirst(
      this.#context,
      { options: this.#options, url: this.#url, begun: this.#begun, tell: (text) => this.#tell(text) },
      addresses,
    );
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

  #exchange(connection: TcpConnection): Failure | undefined {
    const { scheduler, complain } = this.#context;
    const { data, verbose, maxTime, head } = this.#options;
    const request = requestText(this.#options, this.#url, this.#method);
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
