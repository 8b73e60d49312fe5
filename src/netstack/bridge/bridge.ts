/**
 * A bridge: a switch inside a namespace, whose own device is one more way in and out (net/bridge). No spanning
 * tree, no VLANs; groups are flooded, as with snooping but no querier.
 *
 *   port ─▶ prerouting ─▶ learn ─┬─▶ input ─▶ the bridge device receives
 *                                └─▶ forward ─▶ postrouting ─▶ port
 *   the bridge device sends ──────▶ output ──▶ postrouting ─▶ port
 */
import type { Skb } from '../../netfilter/skb.ts';
import type { Frame } from '../../wire/frame.ts';
import {
  BROADCAST_MAC,
  isLinkLocalGroupMac,
  isMulticastMac,
  type MacAddress,
  NO_MAC,
} from '../../wire/mac.ts';
import type { Interface, LinkDriver } from '../link/interface.ts';
import { fits } from '../link/mtu.ts';
import type { BridgedFrame, BridgeHook } from './bridge-hooks.ts';
import { type BridgePortOptions, DEFAULT_PORT, FLOOD_OPTION, whyNot } from './bridge-port.ts';
import { type FdbListing, ForwardingDatabase } from './fdb.ts';

export type { BridgePortOptions } from './bridge-port.ts';

/** 01:80:c2:00:00:00, spanning tree's group, is forwarded by bridges that do not take part. */
const STP_GROUP = 0x0180c2000000;
/** What a bridge without ports takes. */
const ETHERNET_MTU = 1500;
/** Pause frames, which no bridge may pass on or take. */
const PAUSE_GROUP = 0x0180c2000001;

export class Bridge implements LinkDriver {
  /** The bridge's own device. */
  device: Interface | undefined;
  readonly fdb = new ForwardingDatabase();
  readonly #ports = new Map<Interface, BridgePortOptions>();
  /** The bridge keeps the address and MTU it was given; else it takes its ports' lowest. */
  #macFixed: boolean;
  #mtuFixed: boolean;
  #adjusting = false;

  constructor({ mac, mtu }: { readonly mac: boolean; readonly mtu: boolean } = { mac: false, mtu: false }) {
    this.#macFixed = mac;
    this.#mtuFixed = mtu;
  }

  /** A frame that the bridge device itself sends (br_dev_xmit). */
  transmit(frame: Frame, device: Interface, skb?: Skb): void {
    if (skb !== undefined && device.namespace.bridgeHooks?.resume(frame, skb) === true) return;
    this.#forward({ bridge: device, frame, inPort: undefined, outPort: undefined, skb }, false);
  }

  /** A bridge has a link while one of its ports has. */
  hasCarrier(): boolean {
    return this.ports.some((port) => port.carrier);
  }

  changed(device: Interface, what: 'address' | 'mtu' | 'state' | 'removed'): void {
    if (what === 'removed') for (const port of this.ports) device.namespace.setMaster(port, undefined);
    if (this.#adjusting) return;
    // Somebody has set it by hand.
    if (what === 'mtu') this.#mtuFixed = true;
    if (what === 'address') this.#macFixed = true;
  }

  /** `ip link set PORT master BRIDGE` (br_add_if). */
  addPort(port: Interface): void {
    this.#ports.set(port, DEFAULT_PORT);
    port.handler = (frame) => this.#in(port, frame);
    this.#adjust();
  }

  /** `ip link set PORT nomaster` (br_del_if). */
  removePort(port: Interface): void {
    this.#ports.delete(port);
    port.handler = undefined;
    this.fdb.flush(port, 'all');
    this.#adjust();
  }

  /** A port has a new address, MTU, state or link. */
  portChanged(port: Interface): void {
    if (!port.carrier) this.fdb.flush(port, 'learned');
    this.#adjust();
  }

  /** Changes what is given of a port's options. */
  setPort(port: Interface, options: Partial<BridgePortOptions>): void {
    this.#ports.set(port, { ...this.portOptions(port), ...options });
  }

  get ports(): readonly Interface[] {
    return [...this.#ports.keys()];
  }

  portOptions(port: Interface): BridgePortOptions {
    return this.#ports.get(port) ?? DEFAULT_PORT;
  }

  /** `bridge fdb add MAC dev PORT master static`. */
  addFdb(mac: MacAddress, port: Interface): void {
    this.fdb.add(mac, port, port.namespace.scheduler.now());
  }

  /** `bridge fdb show`: own addresses first, then what was learned and told. */
  listFdb(): readonly FdbListing[] {
    const now = this.device?.namespace.scheduler.now() ?? 0;
    const own = this.ports.map((port) => ({ mac: port.mac, port, kind: 'permanent' as const, age: 0 }));
    return [...own, ...this.fdb.list(now)];
  }

  /** br_stp_recalculate_bridge_id, br_mtu_auto_adjust: the ports' lowest address and MTU are the bridge's. */
  #adjust(): void {
    const { device, ports } = this;
    if (device === undefined) return;
    this.#adjusting = true;
    const mac = ports.length === 0 ? NO_MAC : Math.min(...ports.map((port) => port.mac));
    if (!this.#macFixed && device.mac !== mac) device.mac = mac;
    const mtu = ports.length === 0 ? ETHERNET_MTU : Math.min(...ports.map((port) => port.mtu));
    if (!this.#mtuFixed && device.mtu !== mtu) device.mtu = mtu;
    this.#adjusting = false;
  }

  /** br_handle_frame: a frame has come in by a port. */
  #in(port: Interface, frame: Frame): void {
    const { device: bridge } = this;
    const { source, destination } = frame;
    if (bridge === undefined || !bridge.up) {
      port.dropIn(frame, 'bridge-port-state');
    } else if (isMulticastMac(source) || source === 0 || destination === PAUSE_GROUP) {
      port.dropIn(frame, 'bridge-filtered');
    } else if (isLinkLocalGroupMac(destination) && destination !== STP_GROUP) {
      // Such groups are for this one link: the port itself receives them.
      port.namespace.frameIn(port, frame);
    } else {
      const bridged = { bridge, frame, inPort: port, outPort: undefined, skb: undefined };
      this.#hook('prerouting', bridged, (passed) => this.#finish(passed, port));
    }
  }

  /** br_handle_frame_finish. */
  #finish(bridged: BridgedFrame, port: Interface): void {
    const { frame, bridge } = bridged;
    if (this.portOptions(port).learning && !this.#isOwn(frame.source)) {
      this.fdb.learn(frame.source, port, bridge.namespace.scheduler.now());
    }
    const local = isMulticastMac(frame.destination) || this.#isOwn(frame.destination);
    this.#forward(bridged, local);
  }

  #hook(hook: BridgeHook, bridged: BridgedFrame, proceed: (bridged: BridgedFrame) => void): void {
    const { bridgeHooks } = bridged.bridge.namespace;
    if (bridgeHooks === undefined) proceed(bridged);
    else bridgeHooks.run(hook, bridged, proceed);
  }

  /** The bridge's own address and those of its ports (BR_FDB_LOCAL). */
  #isOwn(mac: MacAddress): boolean {
    if (this.device?.mac === mac) return true;
    for (const port of this.#ports.keys()) if (port.mac === mac) return true;
    return false;
  }

  /** Sends the frame where it has to go; `local`: to the bridge device as well. */
  #forward(bridged: BridgedFrame, local: boolean): void {
    const { bridge, frame, inPort } = bridged;
    const { destination } = frame;
    const { namespace } = bridge;
    const unicast = !isMulticastMac(destination);
    const known = unicast && !local ? this.fdb.find(destination, namespace.scheduler.now()) : undefined;
    const flooded = known === undefined && !(unicast && local);
    const outPorts = flooded ? this.#floodPorts(destination, inPort) : this.#knownPort(bridged, known);
    if (namespace.traced) {
      namespace.tell({
        kind: 'bridge',
        bridge: bridge.name,
        inPort: inPort?.name,
        outPorts: outPorts.map(({ name }) => name),
        local,
        flooded,
        frame,
      });
    }
    const last = outPorts.length - 1;
    for (const [index, outPort] of outPorts.entries()) {
      // Every copy but the last goes its way with metadata of its own (skb_clone).
      const skb = index === last && !local ? bridged.skb : bridged.skb?.clone();
      this.#hook(inPort === undefined ? 'output' : 'forward', { ...bridged, outPort, skb }, (passed) =>
        this.#hook('postrouting', passed, push),
      );
    }
    if (local) this.#hook('input', bridged, receive);
  }

  #floodPorts(destination: MacAddress, inPort: Interface | undefined): Interface[] {
    const kind =
      destination === BROADCAST_MAC ? 'broadcast' : isMulticastMac(destination) ? 'multicast' : 'unicast';
    const option = FLOOD_OPTION[kind];
    // What the bridge itself sends to a group reaches every port (br_flood).
    const asks = !(kind === 'multicast' && inPort === undefined);
    return this.ports.filter(
      (port) => (!asks || this.portOptions(port)[option]) && this.#whyNot(port, inPort) === undefined,
    );
  }

  #knownPort({ frame, inPort }: BridgedFrame, port: Interface | undefined): Interface[] {
    if (port === undefined) return [];
    const reason = this.#whyNot(port, inPort);
    if (reason === undefined) return [port];
    (inPort ?? port).dropIn(frame, reason);
    return [];
  }

  #whyNot(port: Interface, inPort: Interface | undefined) {
    const inOptions = inPort === undefined ? undefined : this.portOptions(inPort);
    return whyNot({ port, options: this.portOptions(port), inPort, inOptions });
  }
}

/** br_dev_queue_push_xmit: a frame that is too long for the port is dropped without a word. */
function push({ frame, outPort, skb }: BridgedFrame): void {
  if (outPort === undefined) return;
  if (fits(frame, outPort.mtu)) outPort.transmit(frame, skb);
  else outPort.dropOut(frame, 'frame-too-long');
}

/** br_pass_frame_up. */
function receive({ bridge, frame, skb, prerouted }: BridgedFrame): void {
  bridge.receivedLocally(frame);
  bridge.namespace.frameIn(bridge, frame, {
    ...(skb === undefined ? {} : { skb }),
    prerouted: prerouted === true,
    // Frames to a port's address are the host's as well.
    toHost: !isMulticastMac(frame.destination),
  });
}
