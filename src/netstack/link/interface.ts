/**
 * One network device of a namespace, live: its address, MTU, state and counters. What it does with a frame
 * that leaves is its driver's business (veth, bridge, a port of a segment, a tunnel).
 *
 *   namespace ─▶ transmit(frame) ─▶ tap, count ─▶ driver ─▶ … wire … ─▶ receive(frame) ─▶ tap, count ─▶ namespace
 */
import type { Skb } from '../../netfilter/skb.ts';
import type { DropReason } from '../../netfilter/verdict.ts';
import { ETHERNET_HEADER } from '../../wire/ethernet.ts';
import { type Frame, frameLength } from '../../wire/frame.ts';
import { ipLength } from '../../wire/headers.ts';
import type { MacAddress } from '../../wire/mac.ts';
import type { Packet } from '../../wire/packet.ts';
import type { Transmission } from '../fate.ts';
import type { Namespace } from '../namespace.ts';

export type InterfaceKind = 'loopback' | 'ethernet' | 'veth' | 'bridge' | 'vxlan' | 'dummy' | 'ipip';

/** What a kind of device does. */
export interface LinkDriver {
  /**
   * Takes a frame that leaves by `device`, which is up (ndo_start_xmit). `skb`: what the namespace knows
   * beside the packet (mark, conntrack entry); it must not travel to another namespace.
   */
  transmit(frame: Frame, device: Interface, skb?: Skb): void;
  /**
   * Present on devices without link addresses (ipip): packets come here without a neighbour lookup, and
   * `transmit` is not called for them.
   */
  transmitPacket?(transmission: Transmission, device: Interface): void;
  /** Whether there is a link; by default there is. */
  hasCarrier?(device: Interface): boolean;
  /** The device's MAC, MTU or state has changed, or it is about to be removed. */
  changed?(device: Interface, what: 'address' | 'mtu' | 'state' | 'removed'): void;
}

/** `ip -s link`: counted in frames and their bytes, Ethernet header included, as the kernel does. */
export interface Counters {
  rxPackets: number;
  rxBytes: number;
  rxDropped: number;
  txPackets: number;
  txBytes: number;
  txDropped: number;
}

/** What a tap sees: a frame, or the bare packet of a device without link addresses and of lo. */
export interface Tapped {
  readonly device: Interface;
  readonly direction: 'in' | 'out';
  readonly frame?: Frame;
  readonly packet?: Packet;
  /** Virtual time, seconds. */
  readonly time: number;
}

export type Tap = (tapped: Tapped) => void;

export interface InterfaceSpec {
  readonly name: string;
  readonly kind: InterfaceKind;
  readonly driver: LinkDriver;
  /** By default a locally administered address that follows from the names of namespace and device. */
  readonly mac?: MacAddress;
  /** By default 1500. */
  readonly mtu?: number;
  /** By default down, as `ip link add` leaves it. */
  readonly up?: boolean;
  /** No ARP and no neighbour discovery (`arp off`). */
  readonly noArp?: boolean;
}

export class Interface {
  readonly namespace: Namespace;
  readonly name: string;
  /** From 1 in every namespace; lo has 1. */
  readonly index: number;
  readonly kind: InterfaceKind;
  readonly driver: LinkDriver;
  readonly noArp: boolean;
  readonly counters: Counters = {
    rxPackets: 0,
    rxBytes: 0,
    rxDropped: 0,
    txPackets: 0,
    txBytes: 0,
    txDropped: 0,
  };
  /** The bridge that this device is a port of. */
  master: Interface | undefined;
  /** Takes frames that come in before the namespace does (rx_handler): a port's bridge. */
  handler: ((frame: Frame) => void) | undefined;
  #mac: MacAddress;
  #mtu: number;
  #up: boolean;
  #taps: readonly Tap[] = [];

  constructor(namespace: Namespace, index: number, spec: InterfaceSpec & { readonly mac: MacAddress }) {
    this.namespace = namespace;
    this.index = index;
    this.name = spec.name;
    this.kind = spec.kind;
    this.driver = spec.driver;
    this.noArp = spec.noArp ?? false;
    this.#mac = spec.mac;
    this.#mtu = spec.mtu ?? 1500;
    this.#up = spec.up ?? false;
  }

  get mac(): MacAddress {
    return this.#mac;
  }

  set mac(mac: MacAddress) {
    this.#mac = mac;
    this.namespace.interfaceChanged(this, 'address');
  }

  get mtu(): number {
    return this.#mtu;
  }

  set mtu(mtu: number) {
    this.#mtu = mtu;
    this.namespace.interfaceChanged(this, 'mtu');
  }

  /** Switched on (`ip link set up`, IFF_UP). */
  get up(): boolean {
    return this.#up;
  }

  set up(up: boolean) {
    if (this.#up === up) return;
    this.#up = up;
    this.namespace.interfaceChanged(this, 'state');
  }

  /** Whether there is a link (LOWER_UP): a veth has one while both ends are up. */
  get carrier(): boolean {
    return this.#up && (this.driver.hasCarrier?.(this) ?? true);
  }

  /** Calls `tap` for all that passes; the function returned ends that. */
  addTap(tap: Tap): () => void {
    this.#taps = [...this.#taps, tap];
    return () => {
      this.#taps = this.#taps.filter((other) => other !== tap);
    };
  }

  get tapped(): boolean {
    return this.#taps.length > 0;
  }

  /** Shows taps what passes. */
  tap(direction: 'in' | 'out', what: { readonly frame?: Frame; readonly packet?: Packet }): void {
    if (this.#taps.length === 0) return;
    const tapped: Tapped = { device: this, direction, ...what, time: this.namespace.scheduler.now() };
    for (const tap of this.#taps) tap(tapped);
  }

  /** Sends `frame` (dev_queue_xmit): dropped while the device is down. */
  transmit(frame: Frame, skb?: Skb): void {
    if (!this.carrier) {
      this.dropOut(frame, this.#up ? 'link-down' : 'device-down');
      return;
    }
    this.tap('out', { frame });
    if (this.namespace.traced) this.namespace.tell({ kind: 'frame-sent', device: this.name, frame });
    this.counters.txPackets++;
    this.counters.txBytes += frameLength(frame);
    this.driver.transmit(frame, this, skb);
  }

  /** A frame has come in (netif_receive_skb): dropped while the device is down. */
  receive(frame: Frame): void {
    if (!this.#up) {
      this.dropIn(frame, 'device-down');
      return;
    }
    this.counters.rxPackets++;
    this.counters.rxBytes += frameLength(frame);
    this.tap('in', { frame });
    if (this.namespace.traced) this.namespace.tell({ kind: 'frame-received', device: this.name, frame });
    if (this.handler !== undefined) this.handler(frame);
    else this.namespace.frameIn(this, frame);
  }

  /** A frame for this device, which is a bridge's or a tunnel's, has come out of its inside. */
  receivedLocally(frame: Frame): void {
    this.counters.rxPackets++;
    this.counters.rxBytes += frameLength(frame);
    this.tap('in', { frame });
    this.namespace.tell({ kind: 'frame-received', device: this.name, frame });
  }

  /** A packet that leaves by lo, or comes in again; false: lo is down and swallows it. */
  loops(packet: Packet, direction: 'in' | 'out'): boolean {
    if (!this.#up) {
      this.namespace.tell({ kind: 'packet-dropped', device: this.name, packet, reason: 'device-down' });
      return false;
    }
    const bytes = ETHERNET_HEADER + ipLength(packet);
    if (direction === 'out') {
      this.counters.txPackets++;
      this.counters.txBytes += bytes;
    } else {
      this.counters.rxPackets++;
      this.counters.rxBytes += bytes;
    }
    this.tap(direction, { packet });
    return true;
  }

  /** Counts and tells a frame that does not leave. */
  dropOut(frame: Frame, reason: DropReason): void {
    this.counters.txDropped++;
    this.namespace.tell({ kind: 'frame-dropped', device: this.name, frame, reason });
  }

  /** Counts and tells a frame that goes no further than this device. */
  dropIn(frame: Frame, reason: DropReason): void {
    this.counters.rxDropped++;
    this.namespace.tell({ kind: 'frame-dropped', device: this.name, frame, reason });
  }
}

/** Tells that a frame which left `device` was lost on the way. */
export function tellLost(frame: Frame, device: Interface, reason: DropReason): void {
  device.counters.txDropped++;
  device.namespace.tell({ kind: 'frame-lost', device: device.name, frame, reason });
}
