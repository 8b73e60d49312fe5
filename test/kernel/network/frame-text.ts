/** Frames as text that says everything two sides must agree on, MAC addresses by the name of their device. */
import { describePacket } from '../../../src/cli/kernel/describe-packet.ts';
import type { ArpMessage } from '../../../src/wire/arp.ts';
import { type Frame, parseFrame } from '../../../src/wire/frame.ts';
import { formatIpAddress } from '../../../src/wire/ip-address.ts';
import { BROADCAST_MAC, formatMac, type MacAddress, parseMac } from '../../../src/wire/mac.ts';
import type { Packet } from '../../../src/wire/packet.ts';
import { type NetworkSpec, planDevices } from './network-spec.ts';

const VXLAN_PORTS: readonly number[] = [8472, 4789];
/** A VXLAN packet as an ICMP error quotes it: its source port is a hash. */
const QUOTED_VXLAN = /:\d+ > ([\d.]+:(?:8472|4789) udp)/;
const VXLAN_HEADER = 8;

/** Names what is random in a real network by the order of its appearance: the same again is the same name. */
class Namer {
  readonly #known = new Map<string, number>();

  nameOf(key: string): number {
    const known = this.#known.get(key) ?? this.#known.size + 1;
    this.#known.set(key, known);
    return known;
  }
}

/** Describes the frames of one side of a comparison; remembers what it has named. */
export class FrameWriter {
  readonly #devices = new Map<MacAddress, string>([[BROADCAST_MAC, 'all']]);
  readonly #namers = new Map<string, Namer>();

  constructor(spec: NetworkSpec) {
    for (const [namespace, devices] of planDevices(spec)) {
      for (const { name, mac } of devices) this.#devices.set(parseMac(mac), `${namespace}/${name}`);
    }
  }

  #nameOf(place: string, key: string): number {
    const namer = this.#namers.get(place) ?? new Namer();
    this.#namers.set(place, namer);
    return namer.nameOf(key);
  }

  #mac(mac: MacAddress): string {
    return this.#devices.get(mac) ?? formatMac(mac);
  }

  #arp({ operation, senderMac, senderIp, targetMac, targetIp }: ArpMessage): string {
    const sender = `${formatIpAddress(senderIp)} (${this.#mac(senderMac)})`;
    return `arp ${operation} ${sender} to ${formatIpAddress(targetIp)} (${this.#mac(targetMac)})`;
  }

  /** The inner frame of a VXLAN packet; undefined for any other. */
  #tunnelled({ transport, fragment }: Packet, place: string): string | undefined {
    if (transport.kind !== 'udp' || !VXLAN_PORTS.includes(transport.dport) || fragment !== undefined)
      return undefined;
    const { data, sport } = transport;
    if (data.length < VXLAN_HEADER + 14) return undefined;
    const header = [...data.subarray(0, VXLAN_HEADER)]
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join('');
    const inner = this.describe(parseFrame(data.subarray(VXLAN_HEADER)), `${place} inner`);
    return `vxlan ${header} from port #${this.#nameOf(`${place} flow`, `${sport}`)} [${inner}]`;
  }

  /** A first piece of a VXLAN packet without the port that is a hash. */
  #withoutFlow(packet: Packet): Packet {
    const { fragment, transport } = packet;
    if (fragment === undefined || transport.kind !== 'udp') return packet;
    return VXLAN_PORTS.includes(transport.dport)
      ? { ...packet, transport: { ...transport, sport: 0 } }
      : packet;
  }

  #packet(packet: Packet, place: string): string {
    // The kernel leaves sums to hardware that is not there.
    const { corrupt, ...intact } = packet;
    const inner = this.#tunnelled(packet, place);
    if (inner !== undefined) {
      const { src, dst, ttl, tos, dontFragment } = packet;
      return `${formatIpAddress(src)} > ${formatIpAddress(dst)} ttl ${ttl} tos ${tos}${dontFragment ? ' df' : ''} ${inner}`;
    }
    const shown = describePacket(corrupt === 'ip-checksum' ? packet : this.#withoutFlow(intact)).replace(
      QUOTED_VXLAN,
      ':flow > $1',
    );
    if (packet.fragment === undefined) return shown;
    const key = `${formatIpAddress(packet.src)} ${formatIpAddress(packet.dst)} ${packet.id}`;
    return `${shown} id #${this.#nameOf(`${place} id`, key)}`;
  }

  /** `SOURCE > DESTINATION: CONTENTS`; `place` tells where names of random numbers count from. */
  describe(frame: Frame, place: string): string {
    const { source, destination, payload } = frame;
    const contents =
      payload.kind === 'arp'
        ? this.#arp(payload.message)
        : payload.kind === 'ip'
          ? this.#packet(payload.packet, place)
          : `type ${payload.etherType.toString(16)} ${payload.data.length} bytes`;
    return `${this.#mac(source)} > ${this.#mac(destination)}: ${contents}`;
  }
}

/** What a kernel says of itself beside packets: group reports, router solicitations, and advice about better routers. */
export function isChatter({ payload }: Frame): boolean {
  if (payload.kind !== 'ip') return false;
  const { src, transport } = payload.packet;
  if (transport.kind === 'opaque') return transport.protocol === 2;
  if (transport.kind !== 'icmp' || typeof src === 'number') return false;
  const { type } = transport;
  return (type >= 130 && type <= 134) || type === 137 || type === 143;
}
