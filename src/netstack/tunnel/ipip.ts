/**
 * An IPIP device (RFC 2003; net/ipv4/ipip.c, ip_tunnel.c): IPv4 packets that leave by it go out inside others,
 * through the namespace's own output path. Without a remote address the next hop of each packet's route is one
 * (tunl0, as Calico uses it). The device has no link addresses: no neighbour is asked.
 *
 *   transmitPacket ─▶ remote ─▶ fits? ─▶ Namespace.send         Namespace.receiveProtocol ─▶ packetIn
 */
import type { Skb } from '../../netfilter/skb.ts';
import type { DropReason } from '../../netfilter/verdict.ts';
import { emitPacket, ipLength, parsePacket } from '../../wire/headers.ts';
import type { Ipv4Address } from '../../wire/ip-address.ts';
import type { Packet } from '../../wire/packet.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { Transmission } from '../fate.ts';
import type { Interface, LinkDriver } from '../link/interface.ts';
import type { Namespace } from '../namespace.ts';
import { afterDecapsulation, type Inheritable, outerTos } from './encapsulation.ts';
import { IPIP_PROTOCOL, ipipReceiver } from './ipip-receiver.ts';

export interface IpipSpec {
  readonly name: string;
  /** The source of outer packets; by default the one that the route to the other end prefers. */
  readonly local?: Ipv4Address;
  /** The other end; by default each packet's next hop. */
  readonly remote?: Ipv4Address;
  /** The device by which outer packets leave. */
  readonly link?: Interface;
  /** Outer TTL; by default the inner packet's. */
  readonly ttl?: Inheritable;
  readonly tos?: Inheritable;
  /** Sets DF on every outer packet, as `ip tunnel add` does unless told otherwise; tunl0 copies the inner DF. */
  readonly pmtudisc?: boolean;
  readonly mtu?: number;
  /** By default down. */
  readonly up?: boolean;
}

/** What IPIP adds to a packet, in bytes. */
export const IPIP_HEADROOM = 20;
const DEFAULT_MTU = 1500 - IPIP_HEADROOM;

export class IpipDriver implements LinkDriver {
  readonly spec: IpipSpec;
  #id = 0;

  constructor(spec: IpipSpec) {
    this.spec = spec;
  }

  /** Never called: the device has no frames. */
  transmit(): void {}

  transmitPacket({ packet, nextHop, skb }: Transmission, device: Interface): void {
    const { namespace } = device;
    const remote = this.spec.remote ?? nextHop;
    if (typeof packet.dst !== 'number' || typeof remote !== 'number') {
      this.#drop(device, packet, 'no-tunnel-endpoint');
      return;
    }
    const way = namespace.routeTo(remote, skb === undefined ? {} : { mark: skb.mark });
    const source = this.spec.local ?? way?.source;
    if (way === undefined || typeof source !== 'number') {
      this.#drop(device, packet, 'no-route');
      return;
    }
    // The way to the other end must not lead into the tunnel itself.
    if (way.route.device === device.name) {
      this.#drop(device, packet, 'tunnel-loop');
      return;
    }
    if (this.#isTooBig(packet, remote, namespace)) {
      this.#refuse(device, { packet, skb, remote });
      return;
    }
    this.#send(device, { packet, skb, remote }, source);
  }

  #dontFragment(packet: Packet): boolean {
    return this.spec.pmtudisc === true || packet.dontFragment;
  }

  /** What the way to the other end leaves for inner packets (tnl_update_pmtu). */
  #room(remote: Ipv4Address, namespace: Namespace): number {
    return (namespace.pathMtu(remote) ?? DEFAULT_MTU + IPIP_HEADROOM) - IPIP_HEADROOM;
  }

  #isTooBig(packet: Packet, remote: Ipv4Address, namespace: Namespace): boolean {
    return packet.dontFragment && ipLength(packet) > this.#room(remote, namespace);
  }

  #refuse(device: Interface, { packet, skb, remote }: Inner): void {
    const mtu = this.#room(remote, device.namespace);
    this.#drop(device, packet, 'too-big');
    if (skb !== undefined) device.namespace.tunnelTooNarrow(skb, packet, mtu);
  }

  #send(device: Interface, { packet, skb, remote }: Inner, source: Ipv4Address): void {
    const { namespace } = device;
    const { ttl = 'inherit', tos = 0, link } = this.spec;
    const outer: Packet = {
      src: source,
      dst: remote,
      ttl: ttl === 'inherit' || ttl === 0 ? packet.ttl : ttl,
      tos: outerTos(tos, packet.tos),
      id: this.#nextId(),
      dontFragment: this.#dontFragment(packet),
      transport: { kind: 'opaque', protocol: IPIP_PROTOCOL, data: emitPacket(packet) },
    };
    device.counters.txPackets++;
    device.counters.txBytes += ipLength(packet);
    namespace.tell({ kind: 'encapsulated', device: device.name, inner: packet, outer });
    namespace.send(outer, {
      whole: false,
      // The outer packet is a new one: of what was known of the inner only the mark stays (skb_scrub_packet).
      ...(skb === undefined ? {} : { mark: skb.mark }),
      ...(link === undefined ? {} : { device: link.name }),
    });
  }

  /** Tells apart the pieces of packets that are cut up on their way. */
  #nextId(): number {
    this.#id = (this.#id % 0xffff) + 1;
    return this.#id;
  }

  /** An outer packet from the other end has come in (ip_tunnel_rcv). */
  receive(outer: Packet, device: Interface): void {
    const inner = innerOf(outer);
    if (inner === undefined || typeof inner.src !== 'number') {
      device.counters.rxDropped++;
      return;
    }
    const packet = afterDecapsulation(inner, outer);
    if (packet === undefined) {
      device.counters.rxDropped++;
      device.namespace.tell({
        kind: 'packet-dropped',
        device: device.name,
        packet: inner,
        reason: 'congestion',
      });
      return;
    }
    device.counters.rxPackets++;
    device.counters.rxBytes += ipLength(packet);
    device.namespace.tell({ kind: 'decapsulated', device: device.name, inner: packet, outer });
    device.namespace.packetIn(device, packet);
  }

  changed(device: Interface, what: 'address' | 'mtu' | 'state' | 'removed'): void {
    const receiver = ipipReceiver(device.namespace);
    if (what === 'state' && device.up) receiver.open(device, this);
    if (what === 'removed' || (what === 'state' && !device.up)) receiver.close(device);
  }

  #drop(device: Interface, packet: Packet, reason: DropReason): void {
    device.counters.txDropped++;
    device.namespace.tell({ kind: 'packet-dropped', device: device.name, packet, reason });
  }
}

/** A packet on its way into the tunnel. */
interface Inner {
  readonly packet: Packet;
  readonly skb: Skb | undefined;
  readonly remote: Ipv4Address;
}

function innerOf({ transport }: Packet): Packet | undefined {
  if (transport.kind !== 'opaque') return undefined;
  try {
    return parsePacket(transport.data);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/**
 * `ip link add NAME type ipip …`: its device, whose MTU leaves room for the outer header when `link` is known.
 * Throws RangeError when the name is taken.
 */
export function createIpip(namespace: Namespace, spec: IpipSpec): Interface {
  const { name, mtu, link, up = false } = spec;
  const device = namespace.addInterface({
    name,
    kind: 'ipip',
    driver: new IpipDriver(spec),
    mac: 0,
    mtu: mtu ?? (link === undefined ? DEFAULT_MTU : link.mtu - IPIP_HEADROOM),
    noArp: true,
  });
  if (up) namespace.setUp(device, true);
  return device;
}
