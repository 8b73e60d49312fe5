/** Packets and conntrack entries as text that says everything that is compared, for people too. */
import type { ConntrackEntry } from '../../netfilter/conntrack/entry.ts';
import type { Tuple } from '../../netfilter/tuple.ts';
import { crc32c } from '../../wire/checksum.ts';
import { emitPacket } from '../../wire/headers.ts';
import { formatIpAddress, type IpAddress } from '../../wire/ip-address.ts';
import {
  type Fragment,
  type Packet,
  protocolOf,
  type TcpSegment,
  type Transport,
} from '../../wire/packet.ts';
import { PROTOCOL, TCP_FLAG } from '../../wire/protocol.ts';
import type { ListedEntry, ListedTuple } from './conntrack-list.ts';

const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(PROTOCOL).map(([name, number]) => [number, name]),
);

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Data longer than this is told by its length and checksum. */
const MAX_HEX = 24;

/** ` data 0102…`, or nothing when there is none. */
function dataText(data: Uint8Array): string {
  if (data.length === 0) return '';
  if (data.length <= MAX_HEX) return ` data ${hex(data)}`;
  return ` data ${data.length} bytes crc32c ${crc32c(data).toString(16)}`;
}

function flagsText({ flags }: TcpSegment): string {
  const set = Object.entries(TCP_FLAG).filter(([, bit]) => flags & bit);
  return set.length === 0 ? 'none' : set.map(([name]) => name).join(',');
}

function withoutFault({ corrupt: _, ...packet }: Packet): Packet {
  return packet;
}

function describeTransport(transport: Transport): string {
  const data = dataText(transport.data);
  switch (transport.kind) {
    case 'tcp': {
      const { seq, ack, window, options } = transport;
      const optionText = options.length === 0 ? '' : ` options ${hex(options)}`;
      return `tcp ${flagsText(transport)} seq ${seq} ack ${ack} win ${window}${optionText}${data}`;
    }
    case 'udp':
      return `udp${data}`;
    case 'sctp':
      return `sctp tag ${transport.verificationTag}${data}`;
    case 'icmp': {
      const { type, code, id, sequence, quoted } = transport;
      // A quoted packet's checksums are not judged when it is read.
      const about = quoted === undefined ? '' : ` about {${describePacket(withoutFault(quoted))}}`;
      return `icmp ${type}/${code} id ${id} seq ${sequence}${about}${data}`;
    }
    case 'opaque':
      return `protocol ${transport.protocol}${data}`;
  }
}

/** Where a first piece carries what is of the whole: checksums, UDP's length. By protocol number. */
const OF_THE_WHOLE: Readonly<Record<number, readonly [from: number, to: number]>> = {
  [PROTOCOL.tcp]: [16, 18],
  [PROTOCOL.udp]: [4, 8],
  [PROTOCOL.icmp]: [2, 4],
  [PROTOCOL.icmpv6]: [2, 4],
  [PROTOCOL.sctp]: [8, 12],
};

/** The payload of a fragment as bytes, whatever it was taken for, but for what it says of the whole. */
function describePiece(packet: Packet, { offset, more }: Fragment): string {
  const { fragment: _, extensions: __, ipOptions: ___, ...whole } = packet;
  const bytes = emitPacket(whole).subarray(typeof packet.src === 'number' ? 20 : 40);
  const [from, to] = offset === 0 ? (OF_THE_WHOLE[protocolOf(packet)] ?? [0, 0]) : [0, 0];
  bytes.fill(0, from, to);
  return `protocol ${protocolOf(packet)} fragment ${offset}${more ? '+' : ''}${dataText(bytes)}`;
}

function endText(address: IpAddress, port: number | undefined): string {
  const text = formatIpAddress(address);
  if (port === undefined) return text;
  return typeof address === 'number' ? `${text}:${port}` : `[${text}]:${port}`;
}

/**
 * Every field of `packet` but its identification, which Linux draws at random for packets of its own;
 * `withId` adds it.
 */
export function describePacket(packet: Packet, withId = false): string {
  const { src, dst, ttl, tos, id, dontFragment, fragment, corrupt, transport } = packet;
  const ports = 'sport' in transport && fragment === undefined ? transport : undefined;
  const parts = [
    `${endText(src, ports?.sport)} > ${endText(dst, ports?.dport)}`,
    fragment === undefined ? describeTransport(transport) : describePiece(packet, fragment),
    `ttl ${ttl}`,
  ];
  if (tos !== 0) parts.push(`tos ${tos}`);
  if (withId) parts.push(`id ${id}`);
  if (dontFragment) parts.push('df');
  if (packet.ipOptions !== undefined) parts.push(`ip options ${hex(packet.ipOptions)}`);
  if (packet.extensions !== undefined) {
    parts.push(
      `extensions ${packet.extensions.map(({ protocol, data }) => `${protocol} ${hex(data)}`).join(' ')}`,
    );
  }
  // A piece's checksum is that of the whole, and nobody can judge it.
  if (corrupt !== undefined && fragment === undefined) parts.push(`wrong ${corrupt}`);
  if (packet.truncatedBytes !== undefined) parts.push(`${packet.truncatedBytes} bytes cut off`);
  return parts.join(' ');
}

function describeTuple({ src, dst, sport, dport }: ListedTuple | Tuple): string {
  return `${endText(src, sport)} > ${endText(dst, dport)}`;
}

/** What is compared of a conntrack entry, wherever it comes from; `timeout` in seconds apart. */
export interface DescribedEntry {
  readonly text: string;
  readonly timeout: number;
}

function describeEntry(entry: Omit<ListedEntry, 'timeout'>): string {
  const parts = [
    PROTOCOL_NAMES.get(entry.protocol) ?? `protocol ${entry.protocol}`,
    ...(entry.state === undefined ? [] : [entry.state]),
    `${describeTuple(entry.original)} | ${describeTuple(entry.reply)}`,
  ];
  if (!entry.seenReply) parts.push('[UNREPLIED]');
  if (entry.assured) parts.push('[ASSURED]');
  if (entry.mark !== 0) parts.push(`mark=${entry.mark}`);
  if (entry.zone !== 0) parts.push(`zone=${entry.zone}`);
  return parts.join(' ');
}

/** The kernel's entry. */
export function describeListed(entry: ListedEntry): DescribedEntry {
  return { text: describeEntry(entry), timeout: entry.timeout };
}

/** The engine's entry at time `now`. */
export function describeModelled(entry: ConntrackEntry, now: number): DescribedEntry {
  const state = entry.tcp?.state ?? entry.sctp?.state;
  const text = describeEntry({
    protocol: entry.original.protocol,
    ...(state === undefined ? {} : { state }),
    original: entry.original,
    reply: entry.reply,
    seenReply: entry.seenReply,
    assured: entry.assured,
    mark: entry.mark,
    zone: entry.zone,
  });
  return { text, timeout: entry.expires - now };
}
