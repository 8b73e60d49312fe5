/**
 * Matches on the transport header: ports, TCP flags and options, ICMP types.
 *
 * The two back ends read a header that is not whole differently. xt matches (all of legacy's, and multiport,
 * icmp, sctp and --tcp-option in both) never match second fragments and give up packets whose header is cut
 * off. iptables-nft turns ports and flags into plain comparisons of bytes at the transport offset: what is
 * there is compared, in an IPv4 fragment's middle too; what is not there does not match.
 */
import { type Packet, protocolOf, type TcpSegment } from '../../wire/packet.ts';
import { PROTOCOL } from '../../wire/protocol.ts';
import { tcpOptionKinds } from '../conntrack/tcp-options.ts';
import type { IcmpMatch, MultiportMatch, PortsMatch, PortTest, TcpMatch } from '../match.ts';
import { DCCP, lacksTransportHeader, type Ports, portsOf } from '../ports.ts';
import type { Evaluator, MatchResult } from './environment.ts';
import { inRange, portMatches } from './headers.ts';

const TCP_FLAGS_OFFSET = 13;

/** What iptables-nft compares: each part that is there. */
interface RawHeader {
  readonly sport: number | undefined;
  readonly dport: number | undefined;
  readonly flags: number | undefined;
}

function word(bytes: Uint8Array, at: number): number | undefined {
  const high = bytes[at];
  const low = bytes[at + 1];
  return high === undefined || low === undefined ? undefined : (high << 8) | low;
}

/** The bytes at the transport offset read as a header; undefined where nft does not look (IPv6 fragments). */
function rawHeader(packet: Packet): RawHeader | undefined {
  const { transport, src } = packet;
  if (lacksTransportHeader(packet) && typeof src !== 'number') return undefined;
  if (transport.kind === 'tcp') return transport;
  if (transport.kind === 'opaque') {
    const { data } = transport;
    return { sport: word(data, 0), dport: word(data, 2), flags: data[TCP_FLAGS_OFFSET] };
  }
  return { ...portsOf(transport), flags: undefined } as RawHeader;
}

function rawPortMatches(port: number | undefined, test: PortTest | undefined): boolean {
  return test === undefined || (port !== undefined && portMatches(port, test));
}

function rawMatches(packet: Packet, { sport, dport, flags }: TcpMatch): boolean {
  const header = rawHeader(packet);
  if (header === undefined) return sport === undefined && dport === undefined && flags === undefined;
  if (!rawPortMatches(header.sport, sport) || !rawPortMatches(header.dport, dport)) return false;
  if (flags === undefined) return true;
  return header.flags !== undefined && ((header.flags & flags.mask) === flags.set) !== flags.negate;
}

/** TCP fragments that begin within the header are an old way around filters: xt_tcpudp gives them up. */
const WITHIN_TCP_HEADER = 8;

function xtTcpMatches(packet: Packet, match: TcpMatch): MatchResult {
  if (lacksTransportHeader(packet)) {
    return packet.fragment?.offset === WITHIN_TCP_HEADER ? 'malformed' : false;
  }
  const { transport } = packet;
  if (transport.kind !== 'tcp') return 'malformed';
  return segmentMatches(transport, match);
}

function segmentMatches(segment: TcpSegment, { sport, dport, flags, option }: TcpMatch): boolean {
  if (!portMatches(segment.sport, sport) || !portMatches(segment.dport, dport)) return false;
  if (flags !== undefined && ((segment.flags & flags.mask) === flags.set) === flags.negate) return false;
  if (option === undefined) return true;
  return tcpOptionKinds(segment.options).includes(option.number) !== option.negate;
}

export const matchTcp: Evaluator<TcpMatch> = (match, { packet }, { backend }) => {
  if (protocolOf(packet) !== PROTOCOL.tcp) return false;
  const native = backend === 'nft' && match.option === undefined;
  return native ? rawMatches(packet, match) : xtTcpMatches(packet, match);
};

/** The protocol a ports match is about; it only holds for packets of that protocol. */
const PORTS_PROTOCOL = {
  udp: PROTOCOL.udp,
  udplite: PROTOCOL.udplite,
  sctp: PROTOCOL.sctp,
  dccp: DCCP,
} as const;

/** Bytes of the header that the xt match wants to see. */
const HEADER_LENGTH = { udp: 8, udplite: 8, sctp: 12, dccp: 12 } as const;

/** The ports of a header of at least `length` bytes; undefined when there is less. */
function wholePorts({ transport }: Packet, length: number): Ports | undefined {
  return transport.kind === 'opaque' && transport.data.length < length ? undefined : portsOf(transport);
}

export const matchPorts: Evaluator<PortsMatch> = (match, { packet }, { backend }) => {
  if (protocolOf(packet) !== PORTS_PROTOCOL[match.kind]) return false;
  if (backend === 'nft' && match.kind === 'udp') {
    const header = rawHeader(packet);
    if (header === undefined) return match.sport === undefined && match.dport === undefined;
    return rawPortMatches(header.sport, match.sport) && rawPortMatches(header.dport, match.dport);
  }
  if (lacksTransportHeader(packet)) return false;
  const ports = wholePorts(packet, HEADER_LENGTH[match.kind]);
  if (ports === undefined) return 'malformed';
  return portMatches(ports.sport, match.sport) && portMatches(ports.dport, match.dport);
};

/** `--icmp-type any` is this type. */
const ANY_ICMP_TYPE = 255;

export const matchIcmp: Evaluator<IcmpMatch> = ({ kind, test }, { packet }) => {
  const v4 = typeof packet.src === 'number';
  if ((kind === 'icmp') !== v4 || protocolOf(packet) !== (v4 ? PROTOCOL.icmp : PROTOCOL.icmpv6)) return false;
  if (lacksTransportHeader(packet)) return false;
  const { transport } = packet;
  if (transport.kind !== 'icmp') return 'malformed';
  if (test === undefined) return true;
  const any = v4 && test.type === ANY_ICMP_TYPE;
  return (any || (transport.type === test.type && inRange(transport.code, test.code))) !== test.negate;
};

export const matchMultiport: Evaluator<MultiportMatch> = (match, { packet }) => {
  if (lacksTransportHeader(packet)) return false;
  const ports = portsOf(packet.transport);
  if (ports === undefined) return 'malformed';
  const listed = (port: number) => match.ports.some((range) => inRange(port, range));
  const source = match.which !== 'destination' && listed(ports.sport);
  const destination = match.which !== 'source' && listed(ports.dport);
  return (source || destination) !== match.negate;
};
