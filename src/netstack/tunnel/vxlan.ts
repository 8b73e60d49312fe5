/**
 * A VXLAN device (drivers/net/vxlan/vxlan_core.c): frames that leave by it are sent as UDP datagrams through its
 * namespace's own output path, rules and all, to the endpoint that its forwarding table names; datagrams that come
 * in are frames again.
 *
 *   transmit(frame) ─▶ fdb ─▶ one datagram per remote ─▶ Namespace.send
 *   Namespace.receiveUdp ─▶ identifier ─▶ learn ─▶ Interface.receive(frame)
 */
import type { Skb } from '../../netfilter/skb.ts';
import type { Frame } from '../../wire/frame.ts';
import { familyOf, type IpAddress } from '../../wire/ip-address.ts';
import type { MacAddress } from '../../wire/mac.ts';
import type { Packet } from '../../wire/packet.ts';
import { emitVxlan, LINUX_VXLAN_PORT, VXLAN_HEADROOM } from '../../wire/vxlan.ts';
import type { Interface, LinkDriver } from '../link/interface.ts';
import type { Namespace } from '../namespace.ts';
import { isMulticast } from '../route-table.ts';
import { afterDecapsulation, flowPort, type Inheritable, outerTos } from './encapsulation.ts';
import { VxlanFdb, type VxlanFdbListing } from './vxlan-fdb.ts';
import { vxlanSocket } from './vxlan-socket.ts';

export interface VxlanSpec {
  readonly name: string;
  /** VXLAN network identifier, 24 bits. */
  readonly id: number;
  /** The source of its datagrams. */
  readonly local: IpAddress;
  /** The device by which they leave (`dev`); gives the MTU. */
  readonly link?: Interface;
  /** `dstport`: by default 8472. */
  readonly port?: number;
  /** Learns senders' endpoints from what comes in; by default it does, flannel turns it off. */
  readonly learning?: boolean;
  /** Seconds after which what was learned is forgotten; by default 300. */
  readonly ageing?: number;
  /** Outer TTL: by default the namespace's (`net.ipv4.ip_default_ttl`). */
  readonly ttl?: Inheritable;
  readonly tos?: Inheritable;
  /** The outer DF bit; by default unset. */
  readonly df?: 'set' | 'unset' | 'inherit';
  readonly mac?: MacAddress;
  readonly mtu?: number;
  /** By default down. */
  readonly up?: boolean;
}

const AGEING = 300;
const DEFAULT_TTL = 64;
const DEFAULT_MTU = 1500;

/** net.ipv4.ip_local_port_range: where source ports come from. */
const LOCAL_PORTS = { from: 32_768, to: 60_999 } as const;

/** What VXLAN adds to packets sent from `local`, in bytes, inner Ethernet header included. */
function headroomOf(local: IpAddress): number {
  return VXLAN_HEADROOM[familyOf(local)];
}

export class VxlanDriver implements LinkDriver {
  readonly id: number;
  readonly port: number;
  readonly local: IpAddress;
  readonly fdb: VxlanFdb;
  readonly #spec: VxlanSpec;
  #id = 0;

  constructor(spec: VxlanSpec) {
    this.#spec = spec;
    this.id = spec.id;
    this.port = spec.port ?? LINUX_VXLAN_PORT;
    this.local = spec.local;
    this.fdb = new VxlanFdb(spec.ageing ?? AGEING);
  }

  transmit(frame: Frame, device: Interface, skb?: Skb): void {
    const { namespace } = device;
    const remotes = this.fdb.lookup(frame.destination, namespace.scheduler.clock.now());
    if (remotes.length === 0) device.dropOut(frame, 'no-tunnel-endpoint');
    for (const remote of remotes) {
      const outer = this.#encapsulate(frame, remote, namespace);
      namespace.tell({ kind: 'encapsulated', device: device.name, inner: frame, outer });
      namespace.send(outer, {
        whole: false,
        // What is encapsulated is a new packet with a history: only its mark stays (skb_scrub_packet).
        ...(skb === undefined ? {} : { mark: skb.mark }),
        ...(this.#spec.link === undefined ? {} : { device: this.#spec.link.name }),
      });
    }
  }

  #encapsulate(frame: Frame, remote: IpAddress, namespace: Namespace): Packet {
    const { ttl = 0, tos = 0, df = 'unset' } = this.#spec;
    const inner = frame.payload.kind === 'ip' ? frame.payload.packet : undefined;
    const v4 = typeof remote === 'number';
    const set = df === 'set' || (df === 'inherit' && inner?.dontFragment === true);
    const wanted = ttl === 'inherit' ? (inner?.ttl ?? 0) : ttl;
    const usual = isMulticast(remote)
      ? 1
      : namespace.sysctls.number(v4 ? 'net.ipv4.ip_default_ttl' : 'net.ipv6.conf.all.hop_limit', DEFAULT_TTL);
    return {
      src: this.local,
      dst: remote,
      ttl: wanted === 0 ? usual : wanted,
      tos: outerTos(tos, inner?.tos ?? 0),
      id: v4 ? this.#nextId() : 0,
      dontFragment: v4 && set,
      transport: {
        kind: 'udp',
        sport: flowPort(frame, LOCAL_PORTS.from, LOCAL_PORTS.to),
        dport: this.port,
        data: emitVxlan({ id: this.id, frame }),
      },
    };
  }

  /** Tells apart the pieces of datagrams that are cut up on their way. */
  #nextId(): number {
    this.#id = (this.#id % 0xffff) + 1;
    return this.#id;
  }

  /** A datagram for this identifier has come in (vxlan_rcv). */
  receive(frame: Frame, outer: Packet, device: Interface): void {
    const { namespace } = device;
    // Frames of one's own that come back.
    if (frame.source === device.mac) {
      device.dropIn(frame, 'tunnel-loop');
      return;
    }
    if (this.#spec.learning !== false) {
      this.fdb.learn(frame.source, outer.src, namespace.scheduler.clock.now());
    }
    namespace.tell({ kind: 'decapsulated', device: device.name, inner: frame, outer });
    const { payload } = frame;
    const packet = payload.kind === 'ip' ? afterDecapsulation(payload.packet, outer) : undefined;
    if (payload.kind !== 'ip' || packet === payload.packet) device.receive(frame);
    else if (packet === undefined) device.dropIn(frame, 'congestion');
    else device.receive({ ...frame, payload: { kind: 'ip', packet } });
  }

  changed(device: Interface, what: 'address' | 'mtu' | 'state' | 'removed'): void {
    const socket = vxlanSocket(device.namespace, this.port);
    if (what === 'state' && device.up) socket.open(device, this);
    if (what === 'removed' || (what === 'state' && !device.up)) socket.close(this);
  }

  /** `bridge fdb show dev DEVICE`. */
  listFdb(now: number): VxlanFdbListing[] {
    return this.fdb.list(now);
  }
}

/**
 * `ip link add NAME type vxlan id ID local ADDRESS …`: its device, whose MTU leaves room for the headers around it
 * when `link` is known. Throws RangeError when the name is taken, or the identifier on
 * the port by another tunnel of the family.
 */
export function createVxlan(namespace: Namespace, spec: VxlanSpec): Interface {
  const { name, mac, mtu, up = false, link, local } = spec;
  const driver = new VxlanDriver(spec);
  const taken = namespace.interfaces().some(({ driver: other }) => {
    if (!(other instanceof VxlanDriver) || other.id !== driver.id || other.port !== driver.port) return false;
    return familyOf(other.local) === familyOf(local);
  });
  if (taken) throw new RangeError(`${namespace.name} has a VXLAN device with identifier ${spec.id} already`);
  const device = namespace.addInterface({
    name,
    kind: 'vxlan',
    driver,
    mtu: mtu ?? (link === undefined ? DEFAULT_MTU : link.mtu - headroomOf(local)),
    ...(mac === undefined ? {} : { mac }),
  });
  if (up) namespace.setUp(device, true);
  return device;
}
