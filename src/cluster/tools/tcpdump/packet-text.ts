/** Frames and packets as lines of `tcpdump -n`. */
import { ARP_LENGTH, ARP_OPERATION, type ArpMessage } from '../../../wire/arp.ts';
import { etherTypeOf, type Frame, frameLength } from '../../../wire/frame.ts';
import { ipLength, parsePacket } from '../../../wire/headers.ts';
import { formatIpAddress } from '../../../wire/ip-address.ts';
import { BROADCAST_MAC, formatMac } from '../../../wire/mac.ts';
import { type Fragment, type Packet, protocolOf, type UdpDatagram } from '../../../wire/packet.ts';
import { WireError } from '../../../wire/wire-error.ts';
import { dnsText } from './dns-text.ts';
import { icmpText, icmpv6Text } from './icmp-text.ts';
import { TcpConversations, tcpText } from './tcp-text.ts';
import { vxlanText } from './vxlan-text.ts';

/** What was captured: a frame, or the bare packet of a device without link addresses. */
export type Captured =
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'packet'; readonly packet: Packet };

function arpText({ operation, senderIp, senderMac, targetIp, targetMac }: ArpMessage): string {
  const sender = formatIpAddress(senderIp);
  const target = formatIpAddress(targetIp);
  const length = `, length ${ARP_LENGTH}`;
  switch (operation) {
    case ARP_OPERATION.request: {
      const known = targetMac === 0 || targetMac === BROADCAST_MAC ? '' : ` (${formatMac(targetMac)})`;
      return `Request who-has ${target}${known} tell ${sender}${length}`;
    }
    case ARP_OPERATION.reply:
      return `Reply ${sender} is-at ${formatMac(senderMac)}${length}`;
    default:
      return `Unknown (${operation})${length}`;
  }
}

const DNS_PORTS: ReadonlySet<number> = new Set([53, 5353]);

export class PacketPrinter {
  readonly #conversations = new TcpConversations();

  /** One line without its time; `link`: with the Ethernet header (`-e`). */
  line(captured: Captured, { link = false }: { readonly link?: boolean } = {}): string {
    if (captured.kind === 'packet') return this.#ipLine(captured.packet, false);
    const { frame } = captured;
    const head = link ? this.#linkText(frame) : '';
    switch (frame.payload.kind) {
      case 'ip':
        return `${head}${this.#ipLine(frame.payload.packet, link)}`;
      case 'arp':
        return `${head}${link ? '' : 'ARP, '}${arpText(frame.payload.message)}`;
      case 'other':
        return `${head}ethertype Unknown (0x${frame.payload.etherType.toString(16).padStart(4, '0')}), length ${frameLength(frame)}`;
    }
  }

  #linkText(frame: Frame): string {
    const names: Readonly<Record<number, string>> = { 2048: 'IPv4', 2054: 'ARP', 34525: 'IPv6' };
    const type = etherTypeOf(frame);
    const name = names[type] ?? 'Unknown';
    const hex = type.toString(16).padStart(4, '0');
    return `${formatMac(frame.source)} > ${formatMac(frame.destination)}, ethertype ${name} (0x${hex}), length ${frameLength(frame)}: `;
  }

  #ipLine(packet: Packet, bare: boolean): string {
    const family = typeof packet.src === 'number' ? 'IP ' : 'IP6 ';
    return `${bare ? '' : family}${this.#ipText(packet)}`;
  }

  #ipText(packet: Packet): string {
    const { src, dst, transport, fragment, extensions = [] } = packet;
    const ends = `${formatIpAddress(src)} > ${formatIpAddress(dst)}: `;
    const v4 = typeof src === 'number';
    const names: Readonly<Record<number, string>> = { 0: 'HBH ', 43: 'RT6 ', 60: 'DSTOPT ' };
    const headers = extensions.map(({ protocol }) => names[protocol] ?? '').join('');
    if (fragment !== undefined && fragment.offset > 0 && v4) return `${ends}${protocolName(packet)}`;
    const chain = `${headers}${fragment === undefined || v4 ? '' : fragmentText(packet, fragment)}`;
    if (fragment !== undefined && fragment.offset > 0) return `${ends}${chain.trimEnd()}`;
    if (!('sport' in transport)) return `${ends}${chain}${this.#inner(packet)}`;
    const { sport, dport } = transport;
    // Behind an extension header only the ports are printed.
    if (chain !== '') return `${ends}${chain}${sport} > ${dport}: ${this.#inner(packet)}`;
    return `${formatIpAddress(src)}.${sport} > ${formatIpAddress(dst)}.${dport}: ${this.#inner(packet)}`;
  }

  #inner(packet: Packet): string {
    const { transport } = packet;
    const v4 = typeof packet.src === 'number';
    const length = ipLength({ ...packet, ...NO_HEADERS }) - (v4 ? 20 : 40);
    switch (transport.kind) {
      case 'tcp':
        return tcpText(packet, transport, this.#conversations);
      case 'udp':
        return this.#udpText(transport);
      case 'icmp':
        return v4 ? icmpText(transport, length) : icmpv6Text(transport, length);
      case 'sctp':
        return `sctp`;
      case 'opaque':
        return opaqueText(packet, this);
    }
  }

  #udpText(datagram: UdpDatagram): string {
    const { sport, dport, data } = datagram;
    if (DNS_PORTS.has(sport) || DNS_PORTS.has(dport)) return dnsText(data);
    const tunnelled = vxlanText(datagram, (frame) => this.line({ kind: 'frame', frame }));
    return tunnelled ?? `UDP, length ${data.length}`;
  }
}

/** IPIP (RFC 2003) and 6in4 (RFC 4213). */
const IP_IN_IP: ReadonlySet<number> = new Set([4, 41]);

const NO_HEADERS = { ipOptions: new Uint8Array(0), extensions: [] } as const;

/** An IPv6 fragment header, of 8 bytes behind the fixed one of 40. */
function fragmentText(packet: Packet, { offset }: Fragment): string {
  return `frag (${offset}|${ipLength(packet) - 48}) `;
}

function protocolName(packet: Packet): string {
  return `ip-proto-${protocolOf(packet)}`;
}

function opaqueText(packet: Packet, printer: PacketPrinter): string {
  const { transport } = packet;
  if (transport.kind !== 'opaque') return '';
  const { protocol, data } = transport;
  if (!IP_IN_IP.has(protocol)) return ` ${protocolName(packet)} ${data.length}`;
  try {
    return printer.line({ kind: 'packet', packet: parsePacket(data) });
  } catch (error) {
    if (error instanceof WireError) return '[|ip]';
    throw error;
  }
}
