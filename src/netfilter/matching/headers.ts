/** Matches on what the packet says of itself: addresses, protocol, ports, flags, sizes. */

import { ipLength } from '../../wire/headers.ts';
import { compareAddress, type IpAddress, maskAddress, sameAddress } from '../../wire/ip-address.ts';
import { type Packet, protocolOf } from '../../wire/packet.ts';
import { PROTOCOL } from '../../wire/protocol.ts';
import { tcpOptionKinds } from '../conntrack/tcp-options.ts';
import type {
  AddressMatch,
  AddressRange,
  DeviceMatch,
  DscpMatch,
  FragmentMatch,
  IcmpMatch,
  IprangeMatch,
  LengthMatch,
  MultiportMatch,
  NumberRange,
  PkttypeMatch,
  PortsMatch,
  PortTest,
  ProtocolMatch,
  TcpMatch,
  TosMatch,
  TtlMatch,
} from '../match.ts';
import type { Skb } from '../skb.ts';
import type { Evaluator } from './environment.ts';

/** True when `value` lies in `range`, both ends included. */
export function inRange(value: number, range: NumberRange): boolean {
  return value >= range.from && value <= range.to;
}

/** True when `(address & mask) == wanted`; false across families. */
export function addressMatches(address: IpAddress, wanted: IpAddress, mask: IpAddress): boolean {
  if (typeof address !== typeof mask) return false;
  return sameAddress(maskAddress(address, mask), wanted);
}

/** A port test with its `!`; an absent test holds. */
export function portMatches(port: number, test: PortTest | undefined): boolean {
  return test === undefined || inRange(port, test) !== test.negate;
}

/** True when `ifname` is the match's device; an absent device has the empty name. */
export function deviceMatches(ifname: string | undefined, name: string, wildcard: boolean): boolean {
  const actual = ifname ?? '';
  return wildcard ? actual.startsWith(name) : actual === name;
}

export const matchAddress: Evaluator<AddressMatch> = (match, skb) => {
  const address = match.kind === 'source' ? skb.packet.src : skb.packet.dst;
  return addressMatches(address, match.address, match.mask) !== match.negate;
};

export const matchDevice: Evaluator<DeviceMatch> = (match, skb) => {
  const ifname = match.kind === 'in-device' ? skb.inDevice : skb.outDevice;
  return deviceMatches(ifname, match.ifname, match.wildcard) !== match.negate;
};

export const matchProtocol: Evaluator<ProtocolMatch> = (match, skb) =>
  (match.protocol === 0 || protocolOf(skb.packet) === match.protocol) !== match.negate;

export const matchFragment: Evaluator<FragmentMatch> = (match, skb) =>
  (skb.packet.fragment !== undefined && skb.packet.fragment.offset > 0) !== match.negate;

/** True for second and further fragments, whose first bytes are no transport header. */
function lacksTransportHeader(packet: Packet): boolean {
  return packet.fragment !== undefined && packet.fragment.offset > 0;
}

export const matchTcp: Evaluator<TcpMatch> = (match, skb) => {
  const { transport } = skb.packet;
  if (transport.kind !== 'tcp' || lacksTransportHeader(skb.packet)) return false;
  if (!portMatches(transport.sport, match.sport) || !portMatches(transport.dport, match.dport)) return false;
  const { flags, option } = match;
  if (flags !== undefined && ((transport.flags & flags.mask) === flags.set) === flags.negate) return false;
  if (option === undefined) return true;
  return tcpOptionKinds(transport.options).includes(option.number) !== option.negate;
};

/** The protocol a ports match is about; it only holds for packets of that protocol. */
const PORTS_PROTOCOL = {
  udp: PROTOCOL.udp,
  udplite: PROTOCOL.udplite,
  sctp: PROTOCOL.sctp,
  dccp: 33,
} as const;

/** Source and destination port of any protocol that begins with them; undefined without such a header. */
function portsOf(packet: Packet): { readonly sport: number; readonly dport: number } | undefined {
  const { transport } = packet;
  if (lacksTransportHeader(packet)) return undefined;
  switch (transport.kind) {
    case 'tcp':
    case 'udp':
    case 'sctp':
      return transport;
    case 'icmp':
      return undefined;
    case 'opaque': {
      const [a, b, c, d] = transport.data;
      if (transport.protocol !== PORTS_PROTOCOL.udplite && transport.protocol !== PORTS_PROTOCOL.dccp) {
        return undefined;
      }
      if (a === undefined || b === undefined || c === undefined || d === undefined) return undefined;
      return { sport: (a << 8) | b, dport: (c << 8) | d };
    }
  }
}

export const matchPorts: Evaluator<PortsMatch> = (match, skb) => {
  if (protocolOf(skb.packet) !== PORTS_PROTOCOL[match.kind]) return false;
  const ports = portsOf(skb.packet);
  if (ports === undefined) return false;
  return portMatches(ports.sport, match.sport) && portMatches(ports.dport, match.dport);
};

/** `--icmp-type any` is this type. */
const ANY_ICMP_TYPE = 255;

export const matchIcmp: Evaluator<IcmpMatch> = (match, skb) => {
  const { transport, src } = skb.packet;
  if (transport.kind !== 'icmp' || lacksTransportHeader(skb.packet)) return false;
  if ((match.kind === 'icmp') !== (typeof src === 'number')) return false;
  const { test } = match;
  if (test === undefined) return true;
  const any = match.kind === 'icmp' && test.type === ANY_ICMP_TYPE;
  return (any || (transport.type === test.type && inRange(transport.code, test.code))) !== test.negate;
};

export const matchMultiport: Evaluator<MultiportMatch> = (match, skb) => {
  const ports = portsOf(skb.packet);
  if (ports === undefined) return false;
  const listed = (port: number) => match.ports.some((range) => inRange(port, range));
  const source = match.which !== 'destination' && listed(ports.sport);
  const destination = match.which !== 'source' && listed(ports.dport);
  return (source || destination) !== match.negate;
};

function inAddressRange(address: IpAddress, range: AddressRange): boolean {
  return compareAddress(address, range.from) >= 0 && compareAddress(address, range.to) <= 0;
}

export const matchIprange: Evaluator<IprangeMatch> = (match, skb) => {
  const { source, destination } = match;
  if (source !== undefined && inAddressRange(skb.packet.src, source) === source.negate) return false;
  return destination === undefined || inAddressRange(skb.packet.dst, destination) !== destination.negate;
};

export const matchLength: Evaluator<LengthMatch> = (match, skb) =>
  inRange(ipLength(skb.packet), match.length) !== match.negate;

export const matchTtl: Evaluator<TtlMatch> = (match, skb) => {
  const { ttl } = skb.packet;
  switch (match.operator) {
    case 'eq':
      return ttl === match.value;
    case 'ne':
      return ttl !== match.value;
    case 'lt':
      return ttl < match.value;
    case 'gt':
      return ttl > match.value;
  }
};

export const matchTos: Evaluator<TosMatch> = (match, skb) =>
  ((skb.packet.tos & match.mask) === match.value) !== match.negate;

export const matchDscp: Evaluator<DscpMatch> = (match, skb) =>
  (skb.packet.tos >> 2 === match.value) !== match.negate;

/** Packets looped back by the host itself count by their destination (xt_pkttype). */
function packetType(skb: Skb): PkttypeMatch['type'] | 'other-host' {
  if (skb.packetType === 'host') return 'unicast';
  return skb.packetType;
}

export const matchPkttype: Evaluator<PkttypeMatch> = (match, skb) =>
  (packetType(skb) === match.type) !== match.negate;
