/** `dig`: questions to a name server, and the whole of its answer. */
import { SOCKET_ERRORS, SocketError, type SocketErrorCode } from '../../../netstack/sockets/socket-error.ts';
import { familyOf, formatIpAddress, type IpAddress } from '../../../wire/ip-address.ts';
import { askOverTcp, queryFor } from '../../apps/dns/dns-exchange.ts';
import { type DnsMessage, decodeDns, encodeDns } from '../../apps/dns/message.ts';
import { resolverOptions } from '../../apps/dns/resolv-conf.ts';
import { candidateNames } from '../../apps/dns/resolver.ts';
import { passTime, resolveHost, type Tool, type ToolContext, ToolExit } from '../tool.ts';
import { messageText, recordData } from './message-text.ts';
import { type DigOptions, type DigQuery, readDigOptions } from './options.ts';

/** No server could be reached. */
const NO_SERVER = 9;
/** Where it asks when resolv.conf names nobody. */
const LOCALHOST: readonly IpAddress[] = [0x7f000001];
/** What dig says it takes (EDNS). */
const UDP_SIZE = 1232;
const VERSION = '9.18.49-1~deb12u3-Debian';

interface Answer {
  readonly message: DnsMessage;
  readonly size: number;
  readonly server: IpAddress;
  /** Virtual seconds. */
  readonly after: number;
}

type Failure = 'timeout' | SocketErrorCode;

/** dig's own words for what a server did not do. */
function failureText(failure: Failure): string {
  if (failure === 'timeout') return 'timed out';
  const text = SOCKET_ERRORS[failure].toLowerCase();
  return failure === 'ENETUNREACH'
    ? 'network unreachable'
    : failure === 'EHOSTUNREACH'
      ? 'host unreachable'
      : text;
}

class DigRun {
  readonly #context: ToolContext;
  readonly #options: DigOptions;
  readonly #servers: readonly IpAddress[];
  readonly #command: string;
  #headed = false;
  /** The last question could not even be sent: dig says nothing about itself then. */
  #unsent = false;

  constructor(
    context: ToolContext,
    options: DigOptions,
    servers: readonly IpAddress[],
    args: readonly string[],
  ) {
    this.#context = context;
    this.#options = options;
    this.#servers = servers;
    this.#command = args.join(' ');
  }

  /** Asks one question; dig's exit code. */
  run(query: DigQuery): number {
    const { resolver } = this.#context;
    const { search } = this.#options;
    const name = query.name.replace(/(.)\.$/, '$1');
    const absolute = query.name.endsWith('.') || !search;
    const names = absolute ? [name] : candidateNames(name, resolver.conf, resolverOptions(resolver.conf));
    let answer: Answer | undefined;
    for (const each of names) {
      answer = this.#ask(each === '.' ? '' : each, query.type);
      if (answer === undefined) break;
      if (answer.message.rcode !== 'NXDOMAIN') break;
    }
    if (answer === undefined) {
      if (!this.#unsent) this.#head();
      this.#context.print(';; no servers could be reached\n');
      return NO_SERVER;
    }
    this.#show(answer);
    return 0;
  }

  #head(): void {
    const { short, command, parts, server } = this.#options;
    if (this.#headed || short || !command) return;
    this.#headed = true;
    const known =
      server === undefined
        ? []
        : [`; (${this.#servers.length} server${this.#servers.length === 1 ? '' : 's'} found)`];
    const space = this.#command === '' ? '' : ' ';
    const lines = [
      '',
      `; <<>> DiG ${VERSION} <<>>${space}${this.#command}`,
      ...known,
      ';; global options: +cmd',
    ];
    if (parts.comments || parts.statistics) this.#context.print(lines.map((line) => `${line}\n`).join(''));
  }

  /** Every server as often as +tries says. */
  #ask(name: string, type: string): Answer | undefined {
    const { tries, tcp, short } = this.#options;
    for (let round = 0; round < tries; round++) {
      for (const server of this.#servers) {
        const query = this.#query(name, type);
        const answer = tcp ? this.#overTcp(server, query) : this.#overUdp(server, query);
        if (typeof answer === 'object') {
          if (!answer.message.truncated || tcp) return answer;
          if (!short) this.#context.print(';; Truncated, retrying in TCP mode.\n');
          const whole = this.#overTcp(server, query);
          if (typeof whole === 'object') return whole;
          continue;
        }
        this.#complain(server, name, answer);
      }
    }
    return undefined;
  }

  #complain(server: IpAddress, name: string, failure: Failure): void {
    const { tcp, port } = this.#options;
    const address = formatIpAddress(server);
    const where = `${address}#${port}(${address}) for ${name}`;
    const connecting = tcp && failure !== 'timeout';
    const text = failureText(failure);
    if (connecting) this.#context.print(`;; Connection to ${where} failed: ${text}.\n`);
    else if (this.#unsent) this.#context.print(`;; UDP setup with ${where} failed: ${text}.\n`);
    else this.#context.print(`;; communications error to ${address}#${port}: ${text}\n`);
    this.#unsent ||= connecting;
  }

  #query(name: string, type: string): DnsMessage {
    const { edns, recurse } = this.#options;
    const id = this.#context.namespace.sockets.network.random.below(0x10000);
    return { ...queryFor(name, type, id), recursionDesired: recurse, ...(edns ? { udpSize: UDP_SIZE } : {}) };
  }

  #overUdp(server: IpAddress, query: DnsMessage): Answer | Failure {
    const { scheduler, namespace } = this.#context;
    const { port, timeout } = this.#options;
    const begun = scheduler.now();
    let result: Answer | Failure | undefined;
    try {
      const socket = namespace.sockets.udp({
        onMessage: ({ data }) => {
          const message = decodeDns(data);
          if (message?.id !== query.id) return;
          result = { message, size: data.length, server, after: scheduler.now() - begun };
        },
        onError: ({ code }) => {
          result = code;
        },
      });
      socket.connect({ address: server, port });
      result = socket.send(encodeDns(query));
      passTime(scheduler, () => result === undefined, begun + timeout);
      socket.close();
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      this.#unsent = true;
      return error.code;
    }
    this.#unsent = false;
    return result ?? 'timeout';
  }

  #overTcp(server: IpAddress, query: DnsMessage): Answer | Failure {
    const { scheduler, namespace } = this.#context;
    const { port, timeout } = this.#options;
    const begun = scheduler.now();
    let result: Answer | Failure | undefined;
    askOverTcp(namespace.sockets, [query], {
      options: { server, port, timeout: timeout * 2 },
      done: ({ answers: [message], failure }) => {
        if (message === undefined) result = failure ?? 'timeout';
        else result = { message, size: encodeDns(message).length, server, after: scheduler.now() - begun };
      },
    });
    passTime(scheduler, () => result === undefined);
    return result ?? 'timeout';
  }

  #show({ message, size, server, after }: Answer): void {
    const { print } = this.#context;
    const { short, parts, port, tcp } = this.#options;
    if (short) {
      for (const record of message.answers) print(`${recordData(record)}\n`);
      return;
    }
    this.#head();
    print(messageText(message, parts));
    if (!parts.statistics) return;
    const address = formatIpAddress(server);
    print(
      [
        `;; Query time: ${Math.floor(after * 1000 + 1e-6)} msec`,
        `;; SERVER: ${address}#${port}(${address}) (${tcp ? 'TCP' : 'UDP'})`,
        `;; WHEN: ${whenText(this.#context.scheduler.now())}`,
        `;; MSG SIZE  rcvd: ${size}`,
        '',
        '',
      ].join('\n'),
    );
  }
}

/** Virtual time begins with the epoch. */
function whenText(seconds: number): string {
  const days = ['Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed'];
  const day = Math.floor(seconds / 86_400);
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const time = `${two((seconds / 3600) % 24)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
  return `${days[day % 7]} Jan ${two(1 + day)} ${time} UTC 1970`;
}

function serversOf(context: ToolContext, { server, family }: DigOptions): readonly IpAddress[] {
  const { nameservers } = context.resolver.conf;
  const own = nameservers.filter((address) => family === undefined || familyOf(address) === family);
  if (server === undefined) return own.length > 0 ? own : LOCALHOST;
  const found = resolveHost(context, server, family);
  if (found.kind === 'found') return found.addresses;
  throw new ToolExit(1, `dig: couldn't get address for '${server}': not found`);
}

/** `dig` with `args`. */
export const dig: Tool = (args, context) => {
  const options = readDigOptions(args);
  const servers = serversOf(context, options);
  const run = new DigRun(context, options, servers, args);
  let code = 0;
  for (const query of options.queries) code = run.run(query) || code;
  return code;
};
