/**
 * What the kernel does with one packet: let it in, read back everything that left the host because of it and
 * whether it got to the end of the input hook. The kernel finishes a packet before the call that hands it
 * over returns (tap-device.ts), so nothing has to be waited for and nothing can be attributed wrongly.
 */
import { ETHERTYPE, emitEthernet, parseEthernet } from '../../wire/ethernet.ts';
import { emitPacket, parsePacket } from '../../wire/headers.ts';
import { familyOf, type IpFamily } from '../../wire/ip-address.ts';
import { BROADCAST_MAC, groupMac, type MacAddress, parseMac, readMac } from '../../wire/mac.ts';
import { type Packet, protocolOf } from '../../wire/packet.ts';
import { PROTOCOL } from '../../wire/protocol.ts';
import { type ListedEntry, parseConntrackList } from './conntrack-list.ts';
import type { KernelHost } from './kernel-host.ts';
import { errnoName } from './libc.ts';

/** How the frame around a packet is addressed. */
export type FrameKind = 'host' | 'broadcast' | 'multicast';

export interface Injection {
  readonly packet: Packet;
  /** The device it comes in on; absent: made on the host. */
  readonly device?: string;
  /** Only with `device`. */
  readonly frame?: FrameKind;
  /** What `packet` cannot say of itself: a first fragment's checksum and length are those of the whole. */
  readonly bytes?: Uint8Array;
}

export interface SentPacket {
  readonly device: string;
  readonly packet: Packet;
  /** It is the injected packet, on its way out; else something the host said. */
  readonly original: boolean;
}

export interface Observation {
  /** What left, per device in order. */
  readonly sent: readonly SentPacket[];
  /** What reached the end of the input hook, in order: the packet, or answers of the host to itself. */
  readonly delivered: readonly { readonly packet: Packet; readonly original: boolean }[];
  /** Why the kernel refused to send a packet made on the host (`EPERM`: a rule dropped it). */
  readonly error?: string;
}

const ALL_NODES_MAC = parseMac('33:33:00:00:00:01');
const PEER_MAC = parseMac('02:00:00:ff:ff:fe');

/** What tells a packet among others as it travels: NAT, routers and reassembly keep it. */
interface Label {
  readonly family: IpFamily;
  /** IPv4's identification, IPv6's flow label. */
  readonly value: number;
  readonly protocol: number;
  /** ICMP's type, which tells an echo from its answer; undefined where no ICMP header is. */
  readonly icmpType: number | undefined;
}

function flowLabelOf(bytes: Uint8Array): number {
  return (((bytes[1] ?? 0) & 15) << 16) | ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
}

function labelOf(bytes: Uint8Array, packet: Packet): Label {
  const family = familyOf(packet.src);
  const { transport } = packet;
  return {
    family,
    value: family === 'ipv4' ? packet.id : flowLabelOf(bytes),
    protocol: protocolOf(packet),
    icmpType: transport.kind === 'icmp' ? transport.type : undefined,
  };
}

/** The label of no packet. */
const NOBODY: Label = { family: 'ipv4', value: -1, protocol: -1, icmpType: -1 };

function sameLabel(a: Label, b: Label): boolean {
  const sameType = a.icmpType === undefined || b.icmpType === undefined || a.icmpType === b.icmpType;
  return a.family === b.family && a.value === b.value && a.protocol === b.protocol && sameType;
}

/** The kernel's own chatter: group reports and neighbour discovery (ICMPv6 130 to 137, 143), IGMP. */
function isChatter(bytes: Uint8Array): boolean {
  if ((bytes[0] ?? 0) >>> 4 === 4) return bytes[9] === PROTOCOL.igmp;
  // Group reports carry a hop-by-hop header (router alert) in front.
  const behindOptions = bytes[6] === 0;
  const protocol = behindOptions ? bytes[40] : bytes[6];
  const type = bytes[behindOptions ? 48 : 40] ?? 0;
  return protocol === PROTOCOL.icmpv6 && ((type >= 130 && type <= 137) || type === 143);
}

function destinationMac(host: KernelHost, device: string, { packet, frame }: Injection): MacAddress {
  switch (frame ?? 'host') {
    case 'host':
      return readMac(host.mac(device), 0);
    case 'broadcast':
      return BROADCAST_MAC;
    case 'multicast':
      return typeof packet.dst === 'number' ? groupMac(packet.dst) : ALL_NODES_MAC;
  }
}

export class Observer {
  readonly #host: KernelHost;
  #flowLabel = 0;

  constructor(host: KernelHost) {
    this.#host = host;
  }

  /**
   * Lets one packet in and reports what came of it. Its `id` must not be 0 (IPv4): the packet is known by it
   * on its way. Throws when something is read that came before it: then the report would be wrong.
   */
  observe(injection: Injection): Observation {
    const bytes = this.#bytes(injection);
    this.#expectSilence();
    const error = this.#inject(injection, bytes);
    const label = labelOf(bytes, injection.packet);
    return { ...this.#collect(label), ...(error === undefined ? {} : { error }) };
  }

  /** The entries of conntrack's table, as the conntrack program lists them. */
  conntrack(family: IpFamily): ListedEntry[] {
    return parseConntrackList(this.#host.run('conntrack', ['-L', '-f', family]));
  }

  #bytes({ packet, bytes: given }: Injection): Uint8Array {
    const bytes = given?.slice() ?? emitPacket(packet);
    if (familyOf(packet.src) === 'ipv6') {
      // No rule reads the flow label, no step changes it. Pieces of one packet share it.
      this.#flowLabel = (this.#flowLabel % 0xffff) + 1;
      const label = packet.fragment === undefined ? this.#flowLabel : 0x10000 + (packet.id % 0xffff);
      bytes[1] = ((bytes[1] ?? 0) & 0xf0) | (label >> 16);
      bytes[2] = label >> 8;
      bytes[3] = label;
    }
    return bytes;
  }

  #inject(injection: Injection, bytes: Uint8Array): string | undefined {
    const { packet, device } = injection;
    if (device === undefined) {
      const errno = this.#host.sender.send(packet, bytes);
      return errno === 0 ? undefined : errnoName(errno);
    }
    const tap = this.#host.devices.get(device);
    if (tap === undefined) throw new RangeError(`the host has no device ${device} to receive on`);
    tap.inject(
      emitEthernet({
        destination: destinationMac(this.#host, device, injection),
        source: PEER_MAC,
        etherType: familyOf(packet.src) === 'ipv4' ? ETHERTYPE.ipv4 : ETHERTYPE.ipv6,
        payload: bytes,
      }),
    );
    return undefined;
  }

  #sentBytes(): { readonly device: string; readonly bytes: Uint8Array }[] {
    return [...this.#host.devices].flatMap(([device, tap]) =>
      tap
        .drain()
        .map(parseEthernet)
        .filter(({ etherType }) => etherType === ETHERTYPE.ipv4 || etherType === ETHERTYPE.ipv6)
        .map(({ payload }) => ({ device, bytes: payload }))
        .filter(({ bytes }) => !isChatter(bytes)),
    );
  }

  #collect(label: Label): Pick<Observation, 'sent' | 'delivered'> {
    const read = (bytes: Uint8Array) => {
      const packet = parsePacket(bytes);
      return { packet, original: sameLabel(labelOf(bytes, packet), label) };
    };
    return {
      sent: this.#sentBytes().map(({ device, bytes }) => ({ device, ...read(bytes) })),
      delivered: this.#host.inputLog
        .drain()
        .filter(({ bytes }) => !isChatter(bytes))
        .map(({ bytes }) => read(bytes)),
    };
  }

  #expectSilence(): void {
    const { sent, delivered } = this.#collect(NOBODY);
    const stray = sent[0] ?? delivered[0];
    if (stray === undefined) return;
    throw new Error(`the kernel sent a packet nobody asked for: ${JSON.stringify(stray.packet)}`);
  }
}
