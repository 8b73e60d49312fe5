/** A packet on its way through one host, with what the kernel keeps beside it in the sk_buff. */
import type { IpAddress } from '../wire/ip-address.ts';
import type { MacAddress } from '../wire/mac.ts';
import type { Packet } from '../wire/packet.ts';
import type { ConntrackEntry } from './conntrack/entry.ts';
import type { CtStateName } from './match.ts';
import type { Direction } from './tuple.ts';

/** How the frame was addressed at layer 2 (skb->pkt_type). */
export type PacketType = 'host' | 'broadcast' | 'multicast' | 'other-host';

/** The conntrack side of a packet: its entry, its direction in it, and what kind of packet it is. */
export interface CtAttachment {
  readonly entry: ConntrackEntry;
  readonly direction: Direction;
  readonly state: 'NEW' | 'ESTABLISHED' | 'RELATED';
}

/** What is known of a packet whose hooks a bridge has run (nf_bridge_info). */
export interface BridgeInfo {
  /** The port it came in by. */
  readonly inPort: string;
  /** The port it is about to leave by, while the bridge itself passes it on. */
  readonly outPort?: string;
  /** The addresses of its frame. */
  readonly source: MacAddress;
  readonly destination: MacAddress;
}

export class Skb {
  packet: Packet;
  /** skb->mark, unsigned 32-bit. */
  mark = 0;
  packetType: PacketType = 'host';
  /** The device it came in on; undefined for packets made on the host. */
  inDevice: string | undefined;
  /** The device it will leave by, once routed. */
  outDevice: string | undefined;
  /** The gateway or on-link destination, once routed. */
  nextHop: IpAddress | undefined;
  ct: CtAttachment | undefined;
  /** `-j CT --notrack`, or a packet conntrack never looks at. */
  untracked = false;
  /** `-j CT --zone`: where conntrack is to look for the flow (a template in the kernel). */
  zone: number | undefined;
  /** An error about an untracked packet: `-j CT` takes it for one that conntrack has seen (nf_conntrack_attach). */
  beyondCt = false;

  /** Present once a bridge has run prerouting hooks on the packet, which are not run again. */
  bridge: BridgeInfo | undefined;

  /** How the packet came, if it was put together from fragments: payload bytes of each, and the longest's length. */
  pieces:
    | {
        readonly payloads: readonly number[];
        readonly longest: number;
        /** It leaves whole where it fits: a bridge put it together, and IPv4 has forgotten how long pieces were. */
        readonly loose?: boolean;
      }
    | undefined;
  /** The longest packet that may leave the way it was routed; undefined: as its device's MTU says. */
  mtu: number | undefined;
  /** The mangle table has changed at the output hook what the packet was routed by (ip_route_me_harder). */
  reroute = false;
  /** Bytes of the payload that NAT has written to, counted from its start. */
  written = 0;

  constructor(packet: Packet, inDevice?: string) {
    this.packet = packet;
    this.inDevice = inDevice;
  }

  /** A second sk_buff of the same packet, with the same conntrack entry (skb_clone). */
  clone(): Skb {
    return Object.assign(new Skb(this.packet), this);
  }

  /** The exclusive part of ctstate; SNAT and DNAT are flags of the entry on top of it. */
  ctState(): CtStateName {
    if (this.ct !== undefined) return this.ct.state;
    // Until conntrack has seen the packet, the template of `-j CT` stands for a new flow.
    if (this.zone !== undefined) return 'NEW';
    return this.untracked ? 'UNTRACKED' : 'INVALID';
  }
}
