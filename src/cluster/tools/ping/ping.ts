/** `ping` (iputils): echo requests once a second, what came back, and the sum of it. */

import type { EchoReply } from '../../../netstack/sockets/echo-socket.ts';
import { SOCKET_ERRORS } from '../../../netstack/sockets/socket-error.ts';
import type { SocketFailure } from '../../../netstack/sockets/udp-socket.ts';
import { ipLength } from '../../../wire/headers.ts';
import { ICMP, ICMPV6 } from '../../../wire/icmp.ts';
import {
  familyOf,
  formatIpAddress,
  type IpAddress,
  sameAddress,
  tryParseIpAddress,
} from '../../../wire/ip-address.ts';
import type { IcmpMessage, Packet } from '../../../wire/packet.ts';
import { RESOLVE_ERRORS } from '../../apps/dns/resolver.ts';
import { ReverseLookup } from '../reverse-lookup.ts';
import { passTime, resolveHost, type Tool, type ToolContext, ToolExit } from '../tool.ts';
import { errorText } from './message-text.ts';
import { type PingOptions, readPingOptions } from './options.ts';
import { roundTripText, statisticsText } from './statistics.ts';

const ECHO_HEADER = 8;
/** A shorter payload has no room for the time it was sent at. */
const TIME_BYTES = 16;
const MAX_SEQUENCE = 0xffff;

/** One run against one destination. */
class PingRun {
  readonly #context: ToolContext;
  readonly #options: PingOptions;
  readonly #destination: IpAddress;
  readonly #source: IpAddress | undefined;
  readonly #sentAt = new Map<number, number>();
  readonly #answered = new Set<number>();
  readonly #roundTrips: number[] = [];
  readonly #id: number;
  readonly #names: ReverseLookup;
  /** What has come in and was not printed yet: names may have to be asked for first. */
  readonly #heard: (() => void)[] = [];
  #transmitted = 0;
  #received = 0;
  #duplicates = 0;
  #errors = 0;
  #pipe = 0;
  #first = 0;
  #last = 0;

  constructor(
    context: ToolContext,
    options: PingOptions,
    ends: { readonly destination: IpAddress; readonly source: IpAddress | undefined; readonly id: number },
  ) {
    this.#context = context;
    this.#options = options;
    this.#destination = ends.destination;
    this.#source = ends.source;
    this.#id = ends.id;
    this.#names = new ReverseLookup(context);
  }

  /** Sends as many requests as asked for and waits for what they lead to. */
  run(): number {
    const { scheduler } = this.#context;
    const { count, interval, deadline } = this.#options;
    this.#first = scheduler.now();
    const end = deadline === undefined ? undefined : this.#first + deadline;
    while (this.#transmitted < count && (end === undefined || scheduler.now() < end)) {
      this.#send();
      if (this.#complete || this.#transmitted >= count) break;
      const next = this.#last + interval;
      this.#listen(end === undefined ? next : Math.min(next, end));
    }
    const last = scheduler.now() + this.#lingerTime();
    this.#listen(end === undefined ? last : Math.min(last, end));
    return this.#finish();
  }

  /** Prints what comes in until `deadline`, or until there is nothing more to wait for. */
  #listen(deadline: number): void {
    const { scheduler } = this.#context;
    while (!this.#complete && scheduler.now() < deadline) {
      passTime(scheduler, () => this.#heard.length === 0 && !this.#complete, deadline);
      for (const print of this.#heard.splice(0)) print();
    }
    for (const print of this.#heard.splice(0)) print();
  }

  /** `NAME (ADDRESS)`, or the address alone when names are not wanted. */
  #who(address: IpAddress): string {
    const text = formatIpAddress(address);
    return this.#options.numeric ? text : `${this.#names.nameOf(address)} (${text})`;
  }

  get #complete(): boolean {
    const { count, quits } = this.#options;
    return (
      quits &&
      this.#received + this.#errors >= count &&
      this.#transmitted >= Math.min(count, this.#received + this.#errors)
    );
  }

  /** How long to wait for stragglers: two round trips, or -W when nothing has come back (schedule_exit). */
  #lingerTime(): number {
    const { linger, interval } = this.#options;
    if (this.#received === 0) return linger;
    return Math.max(interval, (2 * Math.max(0, ...this.#roundTrips)) / 1e6);
  }

  #packet(sequence: number): Packet | string {
    const { size, ttl, discovery, tos } = this.#options;
    const { network } = this.#context.namespace.sockets;
    const v4 = familyOf(this.#destination) === 'ipv4';
    const path = network.path(this.#destination, this.#source);
    if (typeof path === 'string') return path;
    const message: IcmpMessage = {
      kind: 'icmp',
      type: v4 ? ICMP.echoRequest : ICMPV6.echoRequest,
      code: 0,
      id: this.#id,
      sequence: sequence & MAX_SEQUENCE,
      data: Uint8Array.from({ length: size }, (_, index) => index & 0xff),
    };
    const packet: Packet = {
      src: this.#source ?? path.src,
      dst: this.#destination,
      ttl,
      tos,
      id: v4 ? network.random.uint32() & 0xffff : 0,
      dontFragment: false,
      transport: message,
    };
    const fits = ipLength(packet) <= path.mtu;
    if (discovery === 'do' && !fits) {
      // The error is said here, because ping hears of it through its error queue.
      this.#context.complain(`ping: local error: message too long, mtu${v4 ? '=' : ': '}${path.mtu}\n`);
      this.#errors++;
      return '';
    }
    return {
      ...packet,
      dontFragment: v4 && (discovery === 'do' || discovery === 'probe' || (discovery === 'want' && fits)),
    };
  }

  #send(): void {
    const { scheduler, namespace, complain } = this.#context;
    const sequence = ++this.#transmitted;
    this.#last = scheduler.now();
    this.#sentAt.set(sequence & MAX_SEQUENCE, this.#last);
    const packet = this.#packet(sequence);
    if (packet === '') return;
    const failure =
      typeof packet === 'string'
        ? packet
        : namespace.sockets.network.send(packet, { device: this.#options.device });
    // What its own rules drop, ping does not hear of.
    if (failure === undefined || failure === 'EPERM') return;
    const text = failure in SOCKET_ERRORS ? SOCKET_ERRORS[failure as keyof typeof SOCKET_ERRORS] : failure;
    complain(`ping: sendmsg: ${text}\n`);
  }

  /** How far the answer to `sequence` is behind the requests (iputils' acknowledge). */
  #acknowledge(sequence: number): void {
    const behind = (this.#transmitted - sequence) & MAX_SEQUENCE;
    if (behind <= MAX_SEQUENCE >> 1) this.#pipe = Math.max(this.#pipe, behind + 1);
  }

  onReply(reply: EchoReply): void {
    const { print, scheduler } = this.#context;
    const { quiet, timestamps } = this.#options;
    const { sequence, data, from, ttl } = reply;
    this.#acknowledge(sequence);
    const sentAt = this.#sentAt.get(sequence);
    const duplicate = this.#answered.has(sequence);
    if (duplicate) this.#duplicates++;
    else this.#received++;
    this.#answered.add(sequence);
    const timed = data.length >= TIME_BYTES && sentAt !== undefined;
    const us = timed ? Math.round((scheduler.now() - sentAt) * 1e6) : 0;
    if (timed) this.#roundTrips.push(us);
    if (quiet) return;
    const stamp = timestamps ? `[${scheduler.now().toFixed(6)}] ` : '';
    const time = timed ? ` time=${roundTripText(us)} ms` : '';
    const length = data.length + ECHO_HEADER;
    this.#heard.push(() => {
      const head = `${stamp}${length} bytes from ${this.#who(from)}: icmp_seq=${sequence} ttl=${ttl}`;
      print(`${head}${time}${duplicate ? ' (DUP!)' : ''}\n`);
    });
  }

  onError({ from, message, quoted }: SocketFailure): void {
    const { print, scheduler } = this.#context;
    const { quiet, timestamps } = this.#options;
    if (message === undefined) return;
    this.#errors++;
    const sequence = quoted?.transport.kind === 'icmp' ? quoted.transport.sequence : 0;
    this.#acknowledge(sequence);
    if (quiet) return;
    const stamp = timestamps ? `[${scheduler.now().toFixed(6)}] ` : '';
    const text = errorText(message, familyOf(this.#destination));
    this.#heard.push(() => {
      print(`${stamp}From ${this.#who(from ?? this.#destination)} icmp_seq=${sequence} ${text}\n`);
    });
  }

  #finish(): number {
    const { print } = this.#context;
    print(
      statisticsText(this.#options.target, {
        transmitted: this.#transmitted,
        received: this.#received,
        duplicates: this.#duplicates,
        errors: this.#errors,
        duration: this.#last - this.#first,
        roundTrips: this.#roundTrips,
        pipe: this.#pipe,
      }),
    );
    return this.#received === 0 ? 1 : 0;
  }
}

interface Origin {
  readonly source: IpAddress | undefined;
  readonly device: string | undefined;
}

/** What -I says: a device, or an address of this host. */
function originOf({ from }: PingOptions, destination: IpAddress, { namespace }: ToolContext): Origin {
  if (from === undefined) return { source: undefined, device: undefined };
  const address = tryParseIpAddress(from);
  if (address !== undefined) {
    if (!namespace.sockets.network.isLocal(address))
      throw new ToolExit(2, 'ping: bind: Cannot assign requested address');
    return { source: address, device: undefined };
  }
  const device = namespace.interface(from);
  if (device === undefined) throw new ToolExit(2, `ping: SO_BINDTODEVICE ${from}: No such device`);
  return { source: namespace.book.masqueradeAddress(from, destination), device: from };
}

function heading(options: PingOptions, destination: IpAddress, origin: Origin, name: string): string {
  const { target, size, from } = options;
  const address = formatIpAddress(destination);
  const device = origin.device ?? '';
  const source =
    from === undefined
      ? ''
      : ` from ${origin.source === undefined ? address : formatIpAddress(origin.source)} ${device}:`;
  if (familyOf(destination) === 'ipv6') {
    const shown = options.numeric ? address : `${name} (${address})`;
    return `PING ${target}(${shown})${source} ${size} data bytes\n`;
  }
  return `PING ${target} (${address})${source} ${size}(${size + 28}) bytes of data.\n`;
}

/** `ping` with `args`. */
export const ping: Tool = (args, context) => {
  const options = readPingOptions(args);
  const found = resolveHost(context, options.target, options.family);
  if (found.kind === 'failed') {
    throw new ToolExit(2, `ping: ${options.target}: ${RESOLVE_ERRORS[found.error]}`);
  }
  const [destination] = found.addresses;
  if (destination === undefined) throw new ToolExit(2, 'ping: usage error: Destination address required');
  const origin = originOf(options, destination, context);
  const path = context.namespace.sockets.network.path(destination, origin.source);
  if (typeof path === 'string') throw new ToolExit(2, `ping: connect: ${SOCKET_ERRORS[path]}`);
  const route = context.namespace.book.routes.lookup(destination);
  if (route?.type === 'broadcast' && !options.broadcast) {
    throw new ToolExit(
      2,
      'ping: Do you want to ping broadcast? Then -b. If not, check your local firewall rules',
    );
  }
  let run: PingRun | undefined;
  const socket = context.namespace.sockets.ping({
    family: familyOf(destination),
    onReply: (reply) => run?.onReply(reply),
    onError: (failure) => run?.onError(failure),
  });
  const source = origin.source ?? (sameAddress(path.src, destination) ? undefined : path.src);
  run = new PingRun(context, { ...options, device: origin.device }, { destination, source, id: socket.id });
  const name = options.numeric ? '' : new ReverseLookup(context).nameOf(destination);
  context.print(heading(options, destination, origin, name));
  try {
    return run.run();
  } finally {
    socket.close();
  }
};
