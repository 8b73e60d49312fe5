/**
 * A bridge: a switch inside a namespace, whose own device is one more way in and out (net/bridge).
 *
 *   port ─▶ prerouting ─┬─▶ input ─▶ the bridge device receives
 *                       └─▶ forward ─▶ postrouting ─▶ port
 *   the bridge device sends ─▶ output ─▶ postrouting ─▶ port
 */
import type { Skb } from '../../netfilter/skb.ts';
import type { Frame } from '../../wire/frame.ts';
import { isMulticastMac, type MacAddress } from '../../wire/mac.ts';
import type { Interface, LinkDriver } from '../link/interface.ts';
import type { Namespace } from '../namespace.ts';
import type { BridgedFrame, BridgeHook } from './bridge-hooks.ts';

/** `bridge link set dev PORT …`. */
export interface BridgePortOptions {
  /** Frames may leave by the port they came in on. */
  readonly hairpin: boolean;
  /** Frames do not pass between isolated ports. */
  readonly isolated: boolean;
  readonly learning: boolean;
  /** Frames to unknown unicast addresses are sent here. */
  readonly flood: boolean;
}

const DEFAULT_PORT: BridgePortOptions = { hairpin: false, isolated: false, learning: true, flood: true };

interface FdbEntry {
  readonly port: Interface;
  readonly static: boolean;
  updated: number;
}

const AGEING = 300;

export class Bridge implements LinkDriver {
  /** The bridge's own device. */
  device: Interface | undefined;
  readonly #ports = new Map<Interface, BridgePortOptions>();
  readonly #fdb = new Map<MacAddress, FdbEntry>();

  /** A frame that the bridge device itself sends. */
  transmit(frame: Frame, device: Interface, skb?: Skb): void {
    if (skb !== undefined && device.namespace.bridgeHooks?.resume(frame, skb) === true) return;
    this.#route({ bridge: device, frame, inPort: undefined, outPort: undefined, skb });
  }

  /** `ip link set PORT master BRIDGE`. */
  addPort(port: Interface): void {
    this.#ports.set(port, DEFAULT_PORT);
    port.handler = (frame) => this.#in(port, frame);
  }

  removePort(port: Interface): void {
    this.#ports.delete(port);
    port.handler = undefined;
    for (const [mac, entry] of this.#fdb) if (entry.port === port) this.#fdb.delete(mac);
  }

  /** Changes what is given of a port's options. */
  setPort(port: Interface, options: Partial<BridgePortOptions>): void {
    this.#ports.set(port, { ...(this.#ports.get(port) ?? DEFAULT_PORT), ...options });
  }

  get ports(): readonly Interface[] {
    return [...this.#ports.keys()];
  }

  portOptions(port: Interface): BridgePortOptions {
    return this.#ports.get(port) ?? DEFAULT_PORT;
  }

  /** `bridge fdb add MAC dev PORT master static`. */
  addFdb(mac: MacAddress, port: Interface): void {
    this.#fdb.set(mac, { port, static: true, updated: this.#now(port.namespace) });
  }

  #now(namespace: Namespace): number {
    return namespace.scheduler.now();
  }

  #in(port: Interface, frame: Frame): void {
    const { device: bridge } = this;
    if (bridge === undefined || !bridge.up) {
      port.dropIn(frame, 'device-down');
      return;
    }
    if (this.portOptions(port).learning) {
      const known = this.#fdb.get(frame.source);
      if (known === undefined || !known.static) {
        this.#fdb.set(frame.source, { port, static: false, updated: this.#now(port.namespace) });
      }
    }
    const bridged = { bridge, frame, inPort: port, outPort: undefined, skb: undefined };
    this.#hook('prerouting', bridged, (passed) => this.#route(passed));
  }

  #hook(hook: BridgeHook, bridged: BridgedFrame, proceed: (bridged: BridgedFrame) => void): void {
    const { bridgeHooks } = bridged.bridge.namespace;
    if (bridgeHooks === undefined) proceed(bridged);
    else bridgeHooks.run(hook, bridged, proceed);
  }

  #lookup(mac: MacAddress, namespace: Namespace): Interface | undefined {
    const entry = this.#fdb.get(mac);
    if (entry === undefined) return undefined;
    return entry.static || this.#now(namespace) - entry.updated < AGEING ? entry.port : undefined;
  }

  #route(bridged: BridgedFrame): void {
    const { bridge, frame, inPort } = bridged;
    const { destination } = frame;
    const toAll = isMulticastMac(destination);
    const local = inPort !== undefined && (toAll || destination === bridge.mac);
    const known = toAll || local ? undefined : this.#lookup(destination, bridge.namespace);
    const outPorts = (known === undefined ? (local && !toAll ? [] : this.ports) : [known]).filter((port) =>
      this.#mayLeave(port, inPort, known !== undefined),
    );
    bridge.namespace.tell({
      kind: 'bridge',
      bridge: bridge.name,
      inPort: inPort?.name,
      outPorts: outPorts.map(({ name }) => name),
      local,
      flooded: known === undefined && outPorts.length > 0,
      frame,
    });
    const out = inPort === undefined ? 'output' : 'forward';
    for (const outPort of outPorts) {
      const skb = bridged.skb?.clone();
      this.#hook(out, { ...bridged, outPort, skb }, (passed) =>
        this.#hook('postrouting', passed, (leaving) => leaving.outPort?.transmit(leaving.frame, leaving.skb)),
      );
    }
    if (local) this.#hook('input', bridged, (passed) => this.#receive(passed));
  }

  #mayLeave(port: Interface, inPort: Interface | undefined, known: boolean): boolean {
    if (!port.up) return false;
    const { hairpin, isolated, flood } = this.portOptions(port);
    if (port === inPort) return hairpin;
    if (isolated && inPort !== undefined && this.portOptions(inPort).isolated) return false;
    return known || flood;
  }

  #receive({ bridge, frame, skb, prerouted }: BridgedFrame): void {
    bridge.tap('in', { frame });
    bridge.namespace.frameIn(bridge, frame, {
      ...(skb === undefined ? {} : { skb }),
      prerouted: prerouted === true,
    });
  }
}
