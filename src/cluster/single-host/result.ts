/** The JSON of one evaluated packet: its verdict, the packet that left, and the path of rules. */
import type { NetfilterEvent, RuleEffect } from '../../netfilter/events.ts';
import type { Tuple } from '../../netfilter/tuple.ts';
import type { HostEvent } from '../../netstack/events.ts';
import { type Fate, formatRefusal } from '../../netstack/fate.ts';
import { formatRule } from '../../ruletext/format-rule.ts';
import { formatIpAddress, type IpAddress } from '../../wire/ip-address.ts';
import { type Packet, protocolOf } from '../../wire/packet.ts';
import type { PacketId } from './packet-lines.ts';

/** A port or identifier; `random` where enumeration leaves the draw open. */
export type PortText = number | 'random';

/** The headers of a packet, as `eval` prints them. */
export interface PacketJson {
  readonly src: string;
  readonly dst: string;
  readonly proto: string | number;
  readonly sport?: PortText;
  readonly dport?: PortText;
  readonly type?: number;
  readonly code?: number;
  readonly icmpId?: PortText;
  readonly ttl: number;
}

/** One step of the path: a chain entered, a rule matched (`rule`, `text`), or a policy that decided. */
export interface PathStep {
  readonly hook: string;
  readonly table: string;
  readonly chain: string;
  /** From 1. */
  readonly rule?: number;
  readonly text?: string;
  readonly effect: string;
}

export interface VerdictJson {
  readonly verdict: 'forwarded' | 'sent' | 'delivered' | 'rejected' | 'dropped' | 'unknown';
  readonly out?: string;
  readonly packet?: PacketJson;
  readonly response?: string;
  readonly via?: string;
  readonly reason?: string;
}

export interface EvalResult extends VerdictJson {
  readonly id: PacketId;
  readonly path: readonly PathStep[];
  readonly outcomes?: readonly (VerdictJson & { readonly probability: number })[];
}

/** Which ends of the flow had their port drawn at random. */
export interface RandomPorts {
  readonly source: boolean;
  readonly destination: boolean;
}

const KNOWN_PORTS: RandomPorts = { source: false, destination: false };

/** `packet` as JSON; with `random`, drawn ports are left open. */
export function packetJson(packet: Packet, random: RandomPorts = KNOWN_PORTS): PacketJson {
  const { transport, ttl } = packet;
  const addresses = { src: formatIpAddress(packet.src), dst: formatIpAddress(packet.dst) };
  switch (transport.kind) {
    case 'tcp':
    case 'udp':
    case 'sctp':
      return {
        ...addresses,
        proto: transport.kind,
        sport: random.source ? 'random' : transport.sport,
        dport: random.destination ? 'random' : transport.dport,
        ttl,
      };
    case 'icmp': {
      const { type, code, id } = transport;
      const icmpId: PortText = random.source || random.destination ? 'random' : id;
      return { ...addresses, proto: 'icmp', type, code, icmpId, ttl };
    }
    case 'opaque':
      return { ...addresses, proto: protocolOf(packet), ttl };
  }
}

/** `fate` in the words of the command line's contract. */
export function verdictJson(fate: Fate, random: RandomPorts = KNOWN_PORTS): VerdictJson {
  switch (fate.kind) {
    case 'forwarded':
    case 'sent':
      return { verdict: fate.kind, out: fate.device, packet: packetJson(fate.packet, random) };
    case 'delivered':
      return { verdict: 'delivered', packet: packetJson(fate.packet, random) };
    case 'rejected':
      return { verdict: 'rejected', response: formatRefusal(fate.refusal), via: fate.device };
    case 'dropped':
    case 'unknown':
      return { verdict: fate.kind, reason: fate.reason };
  }
}

/** `0x4000` */
export function formatMark(mark: number): string {
  return `0x${mark.toString(16)}`;
}

/** `10.0.0.1:80`, `[fd00::1]:80`; the address alone when `port` is absent. */
export function formatSocketAddress(address: IpAddress, port?: PortText): string {
  const text = formatIpAddress(address);
  if (port === undefined) return text;
  return typeof address === 'number' ? `${text}:${port}` : `[${text}]:${port}`;
}

function formatEnd(tuple: Tuple, manip: 'source' | 'destination'): string {
  return manip === 'source'
    ? formatSocketAddress(tuple.src, tuple.sport)
    : formatSocketAddress(tuple.dst, tuple.dport);
}

/** What a matched rule did, in a few words. */
export function formatEffect(effect: RuleEffect): string {
  switch (effect.kind) {
    case 'jump':
    case 'goto':
      return `${effect.kind} ${effect.chain}`;
    case 'reject':
      return `reject with ${effect.with}`;
    case 'mark':
    case 'ctmark':
      return `${effect.kind} ${formatMark(effect.before)} to ${formatMark(effect.after)}`;
    case 'nat': {
      const { manip, before, after } = effect;
      const name = manip === 'source' ? 'snat' : 'dnat';
      return `${name} ${formatEnd(before, manip)} to ${formatEnd(after, manip)}`;
    }
    case 'unsupported':
      return effect.reason;
    default:
      return effect.kind;
  }
}

function pathStep(event: NetfilterEvent): PathStep | undefined {
  switch (event.kind) {
    case 'chain':
      return { hook: event.hook, table: event.table, chain: event.chain, effect: 'enter' };
    case 'rule':
      return {
        hook: event.hook,
        table: event.table,
        chain: event.chain,
        rule: event.number,
        text: formatRule(event.chain, event.rule),
        effect: formatEffect(event.effect),
      };
    case 'policy':
      return {
        hook: event.hook,
        table: event.table,
        chain: event.chain,
        effect: `policy ${event.policy}`,
      };
    default:
      return undefined;
  }
}

/** The chains and rules that the packet itself met; what the host's answers met is left out. */
export function pathOf(events: readonly HostEvent[]): PathStep[] {
  const path: PathStep[] = [];
  for (const event of events) {
    if (event.kind === 'originate' && event.answers !== undefined) break;
    if (!('hook' in event)) continue;
    const step = pathStep(event);
    if (step !== undefined) path.push(step);
  }
  return path;
}
