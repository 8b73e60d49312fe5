/**
 * br_netfilter: the IP hooks of a namespace, run on packets that only cross one of its bridges
 * (net/bridge/br_netfilter_hooks.c, br_netfilter_ipv6.c). For rules such a packet comes in by the bridge and
 * leaves by it; `-m physdev` knows the ports.
 *
 *   port ─▶ PREROUTING ─┬─ same destination ─▶ the bridge decides
 *                       └─ DNAT ─▶ route ─┬─▶ on this bridge: to the neighbour's MAC, past the IP layer
 *                                         └─▶ elsewhere: up to the IP layer, which skips PREROUTING
 *   the bridge decides ─▶ FORWARD ─▶ POSTROUTING ─▶ pieces that fit ─▶ port
 */
import { Skb } from '../../netfilter/skb.ts';
import type { DropReason } from '../../netfilter/verdict.ts';
import type { Frame } from '../../wire/frame.ts';
import { type IpAddress, sameAddress } from '../../wire/ip-address.ts';
import { BROADCAST_MAC, isMulticastMac, type MacAddress } from '../../wire/mac.ts';
import type { Packet } from '../../wire/packet.ts';
import type { Interface } from '../link/interface.ts';
import type { Namespace } from '../namespace.ts';
import type { BridgedFrame, BridgeHook, BridgeHooks } from './bridge-hooks.ts';
import { routeRedirected } from './redirected.ts';

type Proceed = (bridged: BridgedFrame) => void;

interface Interrupted {
  readonly bridged: BridgedFrame;
  readonly proceed: Proceed;
}

/** `frame` with another packet in it. */
function carrying(frame: Frame, packet: Packet): Frame {
  const { payload } = frame;
  return payload.kind === 'ip' && payload.packet === packet
    ? frame
    : { ...frame, payload: { kind: 'ip', packet } };
}

/** How rules see the frame's destination: one for another host counts as one for this. */
function packetTypeOf(destination: MacAddress): 'host' | 'broadcast' | 'multicast' {
  if (destination === BROADCAST_MAC) return 'broadcast';
  return isMulticastMac(destination) ? 'multicast' : 'host';
}

export class BridgeNetfilter implements BridgeHooks {
  readonly #namespace: Namespace;
  /** DNATed packets whose new neighbour is being looked for. */
  readonly #interrupted = new WeakMap<Skb, Interrupted>();

  constructor(namespace: Namespace) {
    this.#namespace = namespace;
  }

  run(hook: BridgeHook, bridged: BridgedFrame, proceed: Proceed): void {
    switch (hook) {
      case 'prerouting':
        this.#prerouting(bridged, proceed);
        return;
      case 'forward':
        this.#forward(bridged, proceed);
        return;
      case 'postrouting':
        this.#postrouting(bridged, proceed);
        return;
      case 'input':
        // IPv4 begins anew and forgets how long the pieces were (ip_rcv_core clears IPCB).
        if (typeof bridged.skb?.packet.src === 'number' && bridged.skb.pieces !== undefined)
          bridged.skb.pieces = { ...bridged.skb.pieces, loose: true };
        proceed(bridged);
        return;
      case 'output':
        proceed(bridged);
        return;
    }
  }

  resume(frame: Frame, skb: Skb): boolean {
    const interrupted = this.#interrupted.get(skb);
    if (interrupted === undefined) return false;
    this.#interrupted.delete(skb);
    const { bridged, proceed } = interrupted;
    // The neighbour's address is new; the sender's stays that of the frame which crosses the bridge.
    proceed({ ...bridged, frame: { ...bridged.frame, destination: frame.destination } });
    return true;
  }

  /** net.bridge.bridge-nf-call-iptables and its IPv6 twin: 1 as soon as the module is there. */
  #calls({ src }: Packet): boolean {
    const name = `net.bridge.bridge-nf-call-${typeof src === 'number' ? 'iptables' : 'ip6tables'}`;
    return this.#namespace.sysctls.number(name, 1) !== 0;
  }

  #prerouting(bridged: BridgedFrame, proceed: Proceed): void {
    const { bridge, frame, inPort } = bridged;
    const { payload, source, destination } = frame;
    if (payload.kind !== 'ip' || inPort === undefined || !this.#calls(payload.packet)) {
      proceed(bridged);
      return;
    }
    if (payload.packet.corrupt === 'ip-checksum') {
      inPort.dropIn(frame, 'corrupt');
      return;
    }
    const skb = new Skb(payload.packet, bridge.name);
    skb.packetType = packetTypeOf(destination);
    skb.bridge = { inPort: inPort.name, source, destination };
    if (!this.#namespace.filterBridged('prerouting', skb)) return;
    const passed = { ...bridged, frame: carrying(frame, skb.packet), skb, prerouted: true };
    if (sameAddress(skb.packet.dst, payload.packet.dst)) proceed(passed);
    else this.#redirect({ bridged: passed, proceed }, skb, bridge);
  }

  /** The packet has a new destination: where it goes is for the routes to say. */
  #redirect(interrupted: Interrupted, skb: Skb, bridge: Interface): void {
    const { bridged, proceed } = interrupted;
    const { packet } = skb;
    const decision = routeRedirected(packet, bridge.name, this.#namespace.book);
    switch (decision.kind) {
      case 'drop':
        this.#drop(packet, bridge, decision.reason);
        return;
      case 'up': {
        const frame = { ...bridged.frame, destination: bridge.mac };
        if (skb.bridge !== undefined) skb.bridge = { ...skb.bridge, destination: bridge.mac };
        proceed({ ...bridged, frame });
        return;
      }
      case 'bridge':
        this.#toNeighbour(interrupted, skb, decision.nextHop, bridge);
        return;
    }
  }

  #toNeighbour(interrupted: Interrupted, skb: Skb, nextHop: IpAddress, bridge: Interface): void {
    const { bridged, proceed } = interrupted;
    const { neighbours } = this.#namespace;
    skb.nextHop = nextHop;
    const destination = neighbours.cached(nextHop, bridge);
    if (destination !== undefined) {
      proceed({ ...bridged, frame: { ...bridged.frame, destination } });
      return;
    }
    // The neighbour table sends it by the bridge device when it knows; there it comes back (resume).
    this.#interrupted.set(skb, interrupted);
    neighbours.output({ device: bridge.name, nextHop, packet: skb.packet, skb }, bridge);
  }

  #forward(bridged: BridgedFrame, proceed: Proceed): void {
    const { bridge, frame, outPort, skb } = bridged;
    if (skb?.bridge === undefined || outPort === undefined) {
      proceed(bridged);
      return;
    }
    skb.packetType = packetTypeOf(frame.destination);
    skb.inDevice = bridge.name;
    skb.outDevice = bridge.name;
    skb.nextHop ??= skb.packet.dst;
    skb.bridge = { ...skb.bridge, outPort: outPort.name };
    if (!this.#namespace.filterBridged('forward', skb)) return;
    proceed({ ...bridged, frame: carrying(frame, skb.packet) });
  }

  #postrouting(bridged: BridgedFrame, proceed: Proceed): void {
    const { frame, outPort, skb } = bridged;
    // What the IP layer has sent has been here before.
    if (skb?.bridge?.outPort === undefined || outPort === undefined) {
      proceed(bridged);
      return;
    }
    if (!this.#namespace.filterBridged('postrouting', skb)) return;
    const { packet, pieces, written } = skb;
    const leaving = this.#namespace.host.cutUp({ packet, pieces, written, mtu: outPort.mtu, whole: false });
    if (leaving === 'too-big') outPort.dropOut(frame, 'too-big');
    else for (const piece of leaving) proceed({ ...bridged, frame: carrying(frame, piece) });
  }

  #drop(packet: Packet, bridge: Interface, reason: DropReason): void {
    this.#namespace.tell({ kind: 'packet-dropped', device: bridge.name, packet, reason });
  }
}
