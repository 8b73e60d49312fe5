/**
 * `nc` (OpenBSD's): whether a port answers (-z), and what it says. Standard input is empty here, so a
 * connection is closed for writing at once and read until the peer is done or -w is over.
 */
import { SOCKET_ERRORS, SocketError, type SocketErrorCode } from '../../netstack/sockets/socket-error.ts';
import type { TcpConnection } from '../../netstack/sockets/tcp/connection.ts';
import { formatIpAddress, type IpAddress, type IpFamily, tryParseIpAddress } from '../../wire/ip-address.ts';
import { RESOLVE_ERRORS } from '../apps/dns/resolver.ts';
import { readOptions } from './options.ts';
import { serviceName, servicePort } from './services.ts';
import { passTime, resolveHost, type Tool, type ToolContext, ToolExit } from './tool.ts';

interface NcOptions {
  readonly host: string;
  readonly ports: readonly number[];
  readonly udp: boolean;
  readonly scan: boolean;
  readonly listen: boolean;
  readonly verbose: boolean;
  readonly numeric: boolean;
  /** Seconds for a connection, and of silence. */
  readonly wait: number | undefined;
  readonly family: IpFamily | undefined;
  readonly source: IpAddress | undefined;
  readonly sourcePort: number | undefined;
}

const USAGE = 'usage: nc [-46lnuvz] [-p source_port] [-s sourceaddr] [-w timeout] [destination] [port]';
const TEXT = new TextDecoder();
/** How often nc -zu asks, and how long it waits for a refusal. */
const UDP_PROBES = 3;
const LISTEN_LIMIT = 60;

function portsNamed(text: string, udp: boolean): number[] {
  const [, low = '', high = low] = /^([^-]+)(?:-(\d+))?$/.exec(text) ?? [];
  const known = servicePort(udp ? 'udp' : 'tcp', low);
  const first = known ?? (/^\d+$/.test(low) ? Number(low) : Number.NaN);
  const last = high === low ? first : Number(high);
  if (Number.isNaN(first) || Number.isNaN(last)) {
    throw new ToolExit(1, `nc: service "${text}" unknown`);
  }
  if (first > 65_535 || last > 65_535) throw new ToolExit(1, `nc: port number too large: ${text}`);
  const [from, to] = [Math.min(first, last), Math.max(first, last)];
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function readNcOptions(args: readonly string[]): NcOptions {
  const { has, value, words } = readOptions(args, {
    flags: '46lnuvzNkdDrtC',
    values: 'wpsiIOqMmTX',
    unknown: (option) => new ToolExit(1, `nc: invalid option -- '${option}'\n${USAGE}`),
    missing: (option) => new ToolExit(1, `nc: option requires an argument -- '${option}'\n${USAGE}`),
  });
  const listen = has('l');
  const [host, port] = listen && words.length < 2 ? ['', words[0] ?? value('p')] : words;
  if (host === undefined || port === undefined) throw new ToolExit(1, USAGE);
  const wait = value('w');
  if (wait !== undefined && !/^\d+$/.test(wait)) throw new ToolExit(1, `nc: timeout invalid: ${wait}`);
  const source = value('s');
  return {
    host,
    ports: portsNamed(port, has('u')),
    udp: has('u'),
    scan: has('z'),
    listen,
    verbose: has('v'),
    numeric: has('n'),
    wait: wait === undefined ? undefined : Number(wait),
    family: has('4') ? 'ipv4' : has('6') ? 'ipv6' : undefined,
    source: source === undefined ? undefined : tryParseIpAddress(source),
    sourcePort: value('p') === undefined ? undefined : Number(value('p')),
  };
}

/** `[tcp/http]`, or `[tcp/*]` for ports without a name. */
function serviceText({ udp, numeric }: NcOptions, port: number): string {
  const protocol = udp ? 'udp' : 'tcp';
  return `[${protocol}/${(numeric ? undefined : serviceName(protocol, port)) ?? '*'}]`;
}

class NcRun {
  readonly #context: ToolContext;
  readonly #options: NcOptions;

  constructor(context: ToolContext, options: NcOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Tries every port; 0 when one answered. */
  connectAll(address: IpAddress): number {
    let code = 1;
    for (const port of this.#options.ports) {
      const done = this.#options.udp ? this.#udp(address, port) : this.#tcp(address, port);
      if (done) code = 0;
    }
    return code;
  }

  #succeeded(address: IpAddress, port: number): void {
    if (!this.#options.verbose) return;
    const { host } = this.#options;
    const shown = tryParseIpAddress(host) === undefined ? `${host} (${formatIpAddress(address)})` : host;
    this.#context.complain(
      `Connection to ${shown} ${port} port ${serviceText(this.#options, port)} succeeded!\n`,
    );
  }

  #failed(address: IpAddress, port: number, what: string): false {
    const { verbose, host, udp } = this.#options;
    if (!verbose) return false;
    const shown = tryParseIpAddress(host) === undefined ? `${host} (${formatIpAddress(address)})` : host;
    this.#context.complain(`nc: connect to ${shown} port ${port} (${udp ? 'udp' : 'tcp'}) ${what}\n`);
    return false;
  }

  #tcp(address: IpAddress, port: number): boolean {
    const { scheduler, namespace, print } = this.#context;
    const { wait, scan, source, sourcePort } = this.#options;
    let connected = false;
    let ended = false;
    let failure: SocketErrorCode | undefined;
    let heard = scheduler.now();
    let connection: TcpConnection;
    try {
      connection = namespace.sockets.connect({
        dst: address,
        port,
        ...(source === undefined ? {} : { src: source }),
        ...(sourcePort === undefined ? {} : { sport: sourcePort }),
        onConnect: () => {
          connected = true;
        },
        onData: (data) => {
          heard = scheduler.now();
          print(TEXT.decode(data));
        },
        onEnd: () => {
          ended = true;
        },
        onClose: (code) => {
          ended = true;
          failure = code;
        },
      });
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      return this.#failed(address, port, `failed: ${SOCKET_ERRORS[error.code]}`);
    }
    const deadline = wait === undefined ? undefined : scheduler.now() + wait;
    passTime(scheduler, () => !connected && !ended, deadline);
    if (!connected) {
      const inTime = ended;
      if (!inTime) connection.abort();
      return this.#failed(
        address,
        port,
        inTime ? `failed: ${SOCKET_ERRORS[failure ?? 'ETIMEDOUT']}` : 'timed out: Operation now in progress',
      );
    }
    this.#succeeded(address, port);
    if (!scan) {
      heard = scheduler.now();
      for (let last = -1; !ended && last !== heard; ) {
        last = heard;
        passTime(scheduler, () => !ended && last === heard, heard + (wait ?? LISTEN_LIMIT));
      }
    }
    connection.close();
    return true;
  }

  /** A port that refuses says so (ICMP); one that keeps silent is taken for open. */
  #udp(address: IpAddress, port: number): boolean {
    const { scheduler, namespace, print } = this.#context;
    let refused: SocketErrorCode | undefined;
    let failure: SocketErrorCode | undefined;
    try {
      const socket = namespace.sockets.udp({
        ...(this.#options.source === undefined ? {} : { address: this.#options.source }),
        ...(this.#options.sourcePort === undefined ? {} : { port: this.#options.sourcePort }),
        onMessage: ({ data }) => print(TEXT.decode(data)),
        onError: ({ code }) => {
          refused = code;
        },
      });
      socket.connect({ address, port });
      for (let probe = 0; probe < UDP_PROBES && refused === undefined && failure === undefined; probe++) {
        failure = socket.send(Uint8Array.of(0x58));
        passTime(scheduler, () => refused === undefined, scheduler.now() + 1);
      }
      socket.close();
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      return this.#failed(address, port, `failed: ${SOCKET_ERRORS[error.code]}`);
    }
    if (refused !== undefined || failure !== undefined) return false;
    this.#succeeded(address, port);
    return true;
  }

  /** Waits for one client, while the tools that were started beside it do their work. */
  listen(): number {
    const { namespace, print, complain } = this.#context;
    const { ports, udp, verbose } = this.#options;
    const [port = 0] = ports;
    const announce = (who: string) => {
      if (verbose) complain(`Connection received on ${who}\n`);
    };
    if (udp) {
      namespace.sockets.udp({ port, onMessage: ({ data }) => print(TEXT.decode(data)) });
    } else {
      namespace.sockets.listen({
        port,
        onConnection: (connection) => {
          const { remote } = connection;
          announce(`${formatIpAddress(remote.address)} ${remote.port}`);
          connection.callbacks = {
            onData: (data) => print(TEXT.decode(data)),
            onEnd: () => connection.close(),
          };
        },
      });
    }
    if (verbose) complain(`Listening on 0.0.0.0 ${port}\n`);
    return 0;
  }
}

/** `nc` with `args`. */
export const nc: Tool = (args, context) => {
  const options = readNcOptions(args);
  const run = new NcRun(context, options);
  if (options.listen) {
    try {
      return run.listen();
    } catch (error) {
      if (error instanceof SocketError) throw new ToolExit(1, `nc: ${SOCKET_ERRORS[error.code]}`);
      throw error;
    }
  }
  const found = resolveHost(context, options.host, options.family);
  const address = found.kind === 'found' ? found.addresses[0] : undefined;
  if (address === undefined) {
    const why = RESOLVE_ERRORS[found.kind === 'failed' ? found.error : 'EAI_NONAME'];
    throw new ToolExit(1, `nc: getaddrinfo for host "${options.host}" port ${options.ports[0]}: ${why}`);
  }
  return run.connectAll(address);
};
