/**
 * `traceroute`: probes with growing ttl, sixteen on their way at a time, and who answered each. It listens to
 * everything that comes in, because the answers to probes belong to no socket.
 */
import { SOCKET_ERRORS } from '../../../netstack/sockets/socket-error.ts';
import {
  familyOf,
  formatIpAddress,
  type IpAddress,
  sameAddress,
  tryParseIpAddress,
} from '../../../wire/ip-address.ts';
import type { Packet } from '../../../wire/packet.ts';
import { PROTOCOL } from '../../../wire/protocol.ts';
import { RESOLVE_ERRORS } from '../../apps/dns/resolver.ts';
import { ReverseLookup } from '../reverse-lookup.ts';
import { passTime, resolveHost, type Tool, type ToolContext, ToolExit } from '../tool.ts';
import { readTracerouteOptions, type TracerouteOptions } from './options.ts';
import { answerIn, type ProbeAnswer, type ProbePlan, probePacket } from './probe.ts';

/** Bytes of a probe unless the user says otherwise. */
const LENGTH = { ipv4: 60, ipv6: 80 } as const;
const HEADERS = { udp: 8, icmp: 8, tcp: 20 } as const;

interface Probe {
  readonly sentAt: number;
  answer: ProbeAnswer | undefined;
  answeredAt: number;
}

class TracerouteRun {
  readonly #context: ToolContext;
  readonly #options: TracerouteOptions;
  readonly #plan: ProbePlan;
  readonly #probes: Probe[] = [];
  readonly #names: ReverseLookup;

  constructor(context: ToolContext, options: TracerouteOptions, plan: ProbePlan) {
    this.#context = context;
    this.#options = options;
    this.#plan = plan;
    this.#names = new ReverseLookup(context);
  }

  /** A packet has come in. */
  hear(packet: Packet): void {
    const answer = answerIn(this.#plan, packet);
    const probe = answer && this.#probes[answer.index];
    if (probe === undefined || probe.answer !== undefined) return;
    probe.answer = answer;
    probe.answeredAt = this.#context.scheduler.now();
  }

  /** Sends all probes that are needed, and prints the lines as they are complete. */
  run(): number {
    const { scheduler, print, namespace } = this.#context;
    const { maxHops, firstHop, probes: perHop, wait, device, simultaneous } = this.#options;
    const total = (maxHops - firstHop + 1) * perHop;
    let printed = 0;
    while (printed < total) {
      while (
        this.#probes.length < Math.min(total, printed + simultaneous) &&
        !this.#ended(this.#probes.length)
      ) {
        const index = this.#probes.length;
        const packet = probePacket(this.#plan, index, firstHop + Math.floor(index / perHop));
        this.#probes.push({ sentAt: scheduler.now(), answer: undefined, answeredAt: 0 });
        const failure = namespace.sockets.network.send(packet, { raw: true, device });
        if (failure !== undefined && failure !== 'EPERM') {
          throw new ToolExit(1, `\nsend: ${SOCKET_ERRORS[failure]}`);
        }
      }
      const probe = this.#probes[printed];
      if (probe === undefined) break;
      passTime(scheduler, () => probe.answer === undefined, probe.sentAt + wait);
      print(this.#text(printed));
      printed++;
      if (this.#ended(printed)) break;
    }
    print('\n');
    return 0;
  }

  /** True when nothing needs to be sent or printed from probe `index` on: a hop before it was the last one. */
  #ended(index: number): boolean {
    const { probes: perHop } = this.#options;
    const hopStart = index - (index % perHop);
    return this.#probes.slice(0, hopStart).some(({ answer }) => answer?.final === true);
  }

  #text(index: number): string {
    const { firstHop, probes: perHop, numeric } = this.#options;
    const place = index % perHop;
    const head = place === 0 ? `\n${String(firstHop + index / perHop).padStart(2)} ` : '';
    const probe = this.#probes[index];
    if (probe?.answer === undefined) return `${head} *`;
    const { from, mark } = probe.answer;
    // An address is printed once, until another one answers.
    const before = this.#probes.slice(index - place, index).findLast(({ answer }) => answer !== undefined);
    const known = before?.answer !== undefined && sameAddress(before.answer.from, from);
    const address = formatIpAddress(from);
    const who = known ? '' : ` ${numeric ? address : `${this.#names.nameOf(from)} (${address})`}`;
    const time = ((probe.answeredAt - probe.sentAt) * 1000).toFixed(3);
    return `${head}${who}  ${time} ms${mark === '' ? '' : ` ${mark}`}`;
  }
}

function destinationOf(context: ToolContext, { target, family }: TracerouteOptions): IpAddress {
  const found = resolveHost(context, target, family);
  const address = found.kind === 'found' ? found.addresses[0] : undefined;
  if (address !== undefined) return address;
  const why = RESOLVE_ERRORS[found.kind === 'failed' ? found.error : 'EAI_NONAME'];
  throw new ToolExit(
    2,
    `${target}: ${why}\nCannot handle "host" cmdline arg \`${target}' on position 1 (argc 1)`,
  );
}

function planOf(context: ToolContext, options: TracerouteOptions, dst: IpAddress): ProbePlan {
  const { network } = context.namespace.sockets;
  const { kind, port, tos, dontFragment, source, device } = options;
  const given = source === undefined ? undefined : tryParseIpAddress(source);
  if (device !== undefined && context.namespace.interface(device) === undefined) {
    throw new ToolExit(1, `\nsetsockopt SO_BINDTODEVICE: No such device`);
  }
  const path = network.path(dst, given);
  if (typeof path === 'string') throw new ToolExit(1, `\nconnect: ${SOCKET_ERRORS[path]}`);
  const family = familyOf(dst);
  const header = family === 'ipv4' ? 20 : 40;
  const length = options.length ?? LENGTH[family];
  return {
    kind,
    src: path.src,
    dst,
    id: 32_768 + (network.random.uint32() % 16_384),
    port,
    tos,
    dontFragment: dontFragment && family === 'ipv4',
    size: Math.max(0, length - header - HEADERS[kind]),
  };
}

/** `traceroute` with `args`. */
export const traceroute: Tool = (args, context) => {
  const options = readTracerouteOptions(args);
  const dst = destinationOf(context, options);
  const family = familyOf(dst);
  const length = options.length ?? LENGTH[family];
  context.print(
    `traceroute to ${options.target} (${formatIpAddress(dst)}), ${options.maxHops} hops max, ${length} byte packets`,
  );
  const plan = planOf(context, options, dst);
  const run = new TracerouteRun(context, options, plan);
  const { sockets } = context.namespace;
  const protocols = [
    family === 'ipv4' ? PROTOCOL.icmp : PROTOCOL.icmpv6,
    ...(options.kind === 'icmp' ? [] : [PROTOCOL[options.kind]]),
  ];
  const listeners = protocols.map((protocol) => sockets.raw(protocol, (packet) => run.hear(packet)));
  try {
    return run.run();
  } finally {
    for (const listener of listeners) listener.close();
  }
};
