/**
 * One network namespace: its devices, and between them the host at layer 3 with its neighbours, rules and
 * sockets. It is configured with the verbs of `ip`.
 *
 *   frame in ─▶ (bridge) ─▶ ARP, or Host.receive ─▶ transmissions ─▶ neighbour ─▶ frame out
 */
import { type Choices, SeededChoices } from '../netfilter/choices.ts';
import type { ConntrackSysctls } from '../netfilter/conntrack/timeouts.ts';
import type { Backend } from '../netfilter/hooks.ts';
import type { IpSet } from '../netfilter/ip-set.ts';
import { Netfilter } from '../netfilter/netfilter.ts';
import type { RuleFinder } from '../netfilter/rule-finder.ts';
import type { RuleSet } from '../netfilter/rule-set.ts';
import { type PacketType, Skb } from '../netfilter/skb.ts';
import { Random } from '../sim/random.ts';
import type { Scheduler } from '../sim/scheduler.ts';
import { type Frame, ipFrame } from '../wire/frame.ts';
import { type IpAddress, sameAddress } from '../wire/ip-address.ts';
import type { InterfaceAddress } from '../wire/ip-prefix.ts';
import { BROADCAST_MAC, isMulticastMac, localMac, type MacAddress } from '../wire/mac.ts';
import { type Packet, protocolOf } from '../wire/packet.ts';
import { AddressBook } from './addressing.ts';
import { type Answerer, closedHost, type Delivery } from './answer.ts';
import { Bridge, type BridgePortOptions } from './bridge/bridge.ts';
import type { BridgeHooks } from './bridge/bridge-hooks.ts';
import { BridgeNetfilter } from './bridge/netfilter.ts';
import { DEFAULT_DEVICE_SYSCTLS, type Device } from './device.ts';
import type { Transmission } from './fate.ts';
import { type EarlyReceiver, Host, type Passage, type SendOptions } from './host.ts';
import { LOOPBACK_DRIVER } from './link/dummy.ts';
import { Interface, type InterfaceSpec } from './link/interface.ts';
import type { NamespaceEvent, NamespaceTrace } from './namespace-events.ts';
import { NeighbourTable } from './neighbour/neighbour-table.ts';
import { ProxyNeighbours } from './neighbour/proxy.ts';
import type { PolicyRule } from './policy-rule.ts';
import type { Route } from './route-table.ts';
import { networkOf } from './sockets/namespace-network.ts';
import { Sockets } from './sockets/sockets.ts';
import { SysctlTable } from './sysctls.ts';
import { VxlanDriver } from './tunnel/vxlan.ts';

export interface NamespaceOptions {
  /** Tells namespaces apart: MAC addresses and random streams follow from it. */
  readonly name: string;
  readonly scheduler: Scheduler;
  /** What everything random in this namespace follows from. */
  readonly seed?: number;
  /** Where netfilter's random decisions come from; by default a stream of `seed` and `name`. */
  readonly choices?: Choices;
  /** Rule sets in force, asked for when the first packet meets a hook. */
  readonly rules?: () => readonly RuleSet[];
  readonly sets?: () => ReadonlyMap<string, IpSet>;
  readonly conntrack?: ConntrackSysctls;
  readonly backend?: Backend;
  readonly finder?: RuleFinder;
  readonly sysctls?: Readonly<Record<string, string | number>>;
}

/** What a bridge knows of a frame for its own device. */
export interface FrameContext {
  readonly skb?: Skb;
  readonly prerouted?: boolean;
}

/** Takes packets of a protocol or UDP port before sockets see them; true when it did (encap_rcv). */
export type EncapReceiver = (packet: Packet, delivery: Delivery) => boolean;

/** Answers ARP requests and neighbour solicitations for addresses that are not the namespace's own. */
export type NeighbourProxy = (target: IpAddress, device: Interface, asker: IpAddress) => boolean;

function hash(text: string, seed: number): number {
  let state = seed | 0;
  for (let at = 0; at < text.length; at++)
    state = Math.imul(state ^ text.charCodeAt(at), 0x5bd1e995) ^ (state >>> 15);
  return state;
}

export class Namespace {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly host: Host;
  readonly neighbours: NeighbourTable;
  /** Addresses of others for which ARP and neighbour solicitations are answered. */
  readonly proxied = new ProxyNeighbours();
  readonly sysctls: SysctlTable;
  /** Who looks at frames inside this namespace's bridges. */
  bridgeHooks: BridgeHooks | undefined;
  /** Asked about ARP and neighbour discovery for addresses that are not our own. */
  neighbourProxy: NeighbourProxy | undefined;
  readonly #seed: number;
  readonly #interfaces = new Map<string, Interface>();
  readonly #addresses = new Map<Interface, InterfaceAddress[]>();
  #routes: Route[] = [];
  #rules: (() => readonly RuleSet[]) | undefined;
  #sets: (() => ReadonlyMap<string, IpSet>) | undefined;
  #book: AddressBook | undefined;
  #trace: NamespaceTrace | undefined;
  #nextIndex = 1;
  #sockets: Sockets | undefined;
  readonly #udpReceivers = new Map<number, EncapReceiver>();
  readonly #protocolReceivers = new Map<number, EncapReceiver>();

  constructor(options: NamespaceOptions) {
    const { name, scheduler, seed, rules, sets, conntrack, backend, finder } = options;
    this.name = name;
    this.scheduler = scheduler;
    this.#seed = seed ?? 0;
    this.#rules = rules;
    this.#sets = sets;
    this.sysctls = new SysctlTable(options.sysctls);
    const view = {
      isOfType: (...question: Parameters<AddressBook['isOfType']>) => this.book.isOfType(...question),
      masqueradeAddress: (device: string, nextHop: IpAddress) => this.book.masqueradeAddress(device, nextHop),
      redirectAddress: (device: string | undefined, like: IpAddress) =>
        this.book.redirectAddress(device, like),
    };
    const netfilter = new Netfilter({
      clock: scheduler.clock,
      choices: options.choices ?? new SeededChoices(this.randomFor('netfilter')),
      host: view,
      ...(conntrack === undefined ? {} : { sysctls: conntrack }),
      ...(backend === undefined ? {} : { backend }),
      ...(finder === undefined ? {} : { finder }),
    });
    this.host = new Host({ addresses: new AddressBook([], []), netfilter });
    this.host.earlyReceiver = this.#receiveEarly;
    this.host.deferLoopback = (resume) => {
      scheduler.after(0, () => this.#send(this.#ready(resume)));
    };
    this.neighbours = new NeighbourTable(this);
    this.addInterface({
      name: 'lo',
      kind: 'loopback',
      driver: LOOPBACK_DRIVER,
      mac: 0,
      mtu: 65_536,
      up: true,
    });
  }

  // ——— configuration: `ip link` ———

  /** `ip link add`: a device that is not there yet, down unless `up`. Throws RangeError when the name is taken. */
  addInterface(spec: InterfaceSpec): Interface {
    if (this.#interfaces.has(spec.name))
      throw new RangeError(`${this.name} has a device ${spec.name} already`);
    const random = this.randomFor(`mac ${spec.name}`);
    const mac = spec.mac ?? localMac(random.uint32() & 0xffff, random.uint32());
    const device = new Interface(this, this.#nextIndex++, { ...spec, mac });
    this.#interfaces.set(spec.name, device);
    this.#addresses.set(device, []);
    this.#book = undefined;
    return device;
  }

  /** `ip link add NAME type bridge`: returns its device; ports are added with `setMaster`. */
  addBridge(spec: {
    readonly name: string;
    readonly mac?: MacAddress;
    readonly mtu?: number;
    readonly up?: boolean;
  }): Interface {
    this.bridgeHooks ??= new BridgeNetfilter(this);
    const bridge = new Bridge();
    const device = this.addInterface({ ...spec, kind: 'bridge', driver: bridge });
    bridge.device = device;
    return device;
  }

  /** `ip link del`. */
  removeInterface(device: Interface): void {
    device.up = false;
    this.setMaster(device, undefined);
    device.driver.changed?.(device, 'removed');
    this.#interfaces.delete(device.name);
    this.#addresses.delete(device);
    this.#routes = this.#routes.filter((route) => route.device !== device.name);
    this.#book = undefined;
  }

  /** `ip link set DEVICE up|down`. */
  setUp(device: Interface, up: boolean): void {
    device.up = up;
  }

  /** `ip link set DEVICE mtu BYTES`. */
  setMtu(device: Interface, mtu: number): void {
    device.mtu = mtu;
  }

  /** `ip link set PORT master BRIDGE`, or `nomaster`. Throws RangeError when `bridge` is none. */
  setMaster(port: Interface, bridge: Interface | undefined): void {
    if (port.master?.driver instanceof Bridge) port.master.driver.removePort(port);
    port.master = undefined;
    if (bridge === undefined) return;
    if (!(bridge.driver instanceof Bridge)) throw new RangeError(`${bridge.name} is no bridge`);
    port.master = bridge;
    bridge.driver.addPort(port);
  }

  /** `bridge link set dev PORT hairpin on|off …`. */
  setBridgePort(port: Interface, options: Partial<BridgePortOptions>): void {
    if (port.master?.driver instanceof Bridge) port.master.driver.setPort(port, options);
  }

  /**
   * `bridge fdb add MAC dev DEVICE`: on a port of a bridge (`master static`); with `remote`, on a VXLAN device
   * (`dst REMOTE`), where the all-zeros MAC stands for all that are unknown.
   */
  addFdb(mac: MacAddress, port: Interface, remote?: IpAddress): void {
    if (remote !== undefined) {
      if (!(port.driver instanceof VxlanDriver)) throw new RangeError(`${port.name} is no VXLAN device`);
      port.driver.fdb.add(mac, remote, this.scheduler.clock.now());
    } else if (port.master?.driver instanceof Bridge) port.master.driver.addFdb(mac, port);
  }

  /** The device called `name`. */
  interface(name: string): Interface | undefined {
    return this.#interfaces.get(name);
  }

  /** Every device, in the order of its index. */
  interfaces(): readonly Interface[] {
    return [...this.#interfaces.values()];
  }

  // ——— `ip address`, `ip route`, `ip rule`, `ip neigh`, `sysctl` ———

  /** `ip address add`. */
  addAddress(device: Interface, address: InterfaceAddress): void {
    this.#addresses.get(device)?.push(address);
    this.#book = undefined;
  }

  /** `ip address del`. */
  removeAddress(device: Interface, address: IpAddress): void {
    const left = (this.#addresses.get(device) ?? []).filter((own) => !sameAddress(own.address, address));
    this.#addresses.set(device, left);
    this.#book = undefined;
  }

  /** The addresses of `device`, in the order in which they were added. */
  addresses(device: Interface): readonly InterfaceAddress[] {
    return this.#addresses.get(device) ?? [];
  }

  /** `ip route add`. */
  addRoute(route: Route): void {
    this.#routes.push(route);
    this.#book = undefined;
  }

  /** `ip route del`: every route for which `matches` is true. */
  removeRoutes(matches: (route: Route) => boolean): void {
    this.#routes = this.#routes.filter((route) => !matches(route));
    this.#book = undefined;
  }

  /** `ip rule add`. */
  addRule(rule: PolicyRule): void {
    void rule;
  }

  /** `ip neigh replace ADDRESS lladdr MAC dev DEVICE nud permanent`. */
  addNeighbour(device: Interface, address: IpAddress, mac: MacAddress): void {
    this.neighbours.addPermanent(address, mac, device);
  }

  /** `ip neigh add proxy ADDRESS dev DEVICE`. */
  addProxyNeighbour(device: Interface, address: IpAddress): void {
    this.proxied.add(address, device.name);
  }

  /** `sysctl -w NAME=VALUE`. */
  setSysctl(name: string, value: string | number): void {
    this.sysctls.set(name, value);
    this.#book = undefined;
  }

  /** What `sysctl NAME` prints; undefined when there is no such sysctl. */
  sysctl(name: string): string | undefined {
    return this.sysctls.get(name);
  }

  /** Replaces the rule sets; they are loaded when the next packet meets a hook. */
  setRules(rules: () => readonly RuleSet[]): void {
    this.#rules = rules;
  }

  // ——— seams ———

  /** What sockets say to packets delivered here; by default those of a host on which nothing listens. */
  get answerer(): Answerer {
    return this.host.answerer;
  }

  set answerer(answerer: Answerer | undefined) {
    this.host.answerer = answerer ?? closedHost;
  }

  /** The sockets of this namespace. From the first use on it is they who answer what is delivered. */
  get sockets(): Sockets {
    if (this.#sockets === undefined) {
      this.#sockets = new Sockets(networkOf(this));
      this.answerer = this.#sockets.answer;
    }
    return this.#sockets;
  }

  /** Lets `receiver` have UDP datagrams to `port` before sockets do (udp_tunnel_sock). */
  receiveUdp(port: number, receiver: EncapReceiver | undefined): void {
    if (receiver === undefined) this.#udpReceivers.delete(port);
    else this.#udpReceivers.set(port, receiver);
  }

  /** Lets `receiver` have packets of an IP protocol before sockets do (inet_add_protocol). */
  receiveProtocol(protocol: number, receiver: EncapReceiver | undefined): void {
    if (receiver === undefined) this.#protocolReceivers.delete(protocol);
    else this.#protocolReceivers.set(protocol, receiver);
  }

  /** Where everything that happens is told; undefined: nobody listens. */
  set trace(sink: NamespaceTrace | undefined) {
    this.#trace = sink;
    this.host.trace = sink;
  }

  tell(event: NamespaceEvent): void {
    this.#trace?.(event);
  }

  /** A stream of random numbers of this namespace's own, the same in every run of one seed. */
  randomFor(purpose: string): Random {
    return new Random(hash(`${this.name} ${purpose}`, this.#seed));
  }

  /**
   * The longest packet, in bytes, that is known to reach `dst`: the MTU of the device its route leaves by, or
   * less when a router has said so (path MTU discovery). Undefined without a route.
   */
  pathMtu(dst: IpAddress): number | undefined {
    const route = this.book.routes.lookup(dst);
    const device = route?.type === 'local' ? 'lo' : route?.device;
    return device === undefined ? undefined : this.#interfaces.get(device)?.mtu;
  }

  /** The route that a packet of our own to `dst` takes, and the source it has unless it is bound to one. */
  routeTo(dst: IpAddress): { readonly route: Route; readonly source: IpAddress | undefined } | undefined {
    const route = this.book.routes.lookup(dst);
    if (route === undefined) return undefined;
    return { route, source: route.src ?? this.book.masqueradeAddress(route.device, route.gateway ?? dst) };
  }

  /** Devices, addresses and routes as they are now. */
  get book(): AddressBook {
    if (this.#book === undefined) {
      this.#book = this.#makeBook();
      this.host.addresses = this.#book;
    }
    return this.#book;
  }

  // ——— data path ———

  /**
   * Sends a packet of this namespace's own. What a rule or route refuses is in the fate at once; the frame
   * leaves when the neighbour is known.
   */
  send(packet: Packet, options?: SendOptions): Passage {
    return this.#send(this.#ready(() => this.host.send(packet, options)));
  }

  /** A packet comes in by a device that has no frames (a tunnel's inner packet). */
  packetIn(device: Interface, packet: Packet): void {
    device.tap('in', { packet });
    const skb = new Skb(packet, device.name);
    this.#receive(skb, device, false);
  }

  /** A frame has come in by `device` and is no bridge's. */
  frameIn(device: Interface, frame: Frame, { skb: known, prerouted = false }: FrameContext = {}): void {
    const { payload } = frame;
    switch (payload.kind) {
      case 'arp':
        this.neighbours.arpIn(payload.message, device);
        return;
      case 'other':
        device.dropIn(frame, 'unknown-protocol');
        return;
      case 'ip': {
        const skb = known ?? new Skb(payload.packet, device.name);
        skb.inDevice = device.name;
        skb.packetType = packetTypeOf(frame.destination, device.mac);
        this.#receive(skb, device, prerouted);
        return;
      }
    }
  }

  /** Runs an IP hook on a packet that crosses a bridge of this namespace; true when it may go on. */
  filterBridged(hook: 'prerouting' | 'forward' | 'postrouting', skb: Skb): boolean {
    const { fate, transmissions } = this.#ready(() => this.host.filterBridged(hook, skb));
    for (const transmission of transmissions) this.transmit(transmission);
    return fate === undefined;
  }

  /** Sends what the host has routed: through the neighbour table, or as it is through a tunnel. */
  transmit(transmission: Transmission): void {
    const device = this.#interfaces.get(transmission.device);
    if (device === undefined) {
      this.tell({ kind: 'packet-dropped', ...transmission, reason: 'no-device' });
    } else if (device.driver.transmitPacket !== undefined) {
      device.tap('out', { packet: transmission.packet });
      device.driver.transmitPacket(transmission, device);
    } else if (transmission.link !== undefined) {
      const { link, packet } = transmission;
      device.transmit(ipFrame(link.source, link.destination, packet));
    } else {
      this.neighbours.output(transmission, device);
    }
  }

  /** A packet could not be delivered on its link: its sender is told (ICMP host or address unreachable). */
  linkFailed(skb: Skb, packet: Packet = skb.packet): void {
    const failed = skb.clone();
    failed.packet = packet;
    this.#send(this.#ready(() => this.host.linkFailed(failed)));
  }

  /** A device has a new address, MTU or state. */
  interfaceChanged(device: Interface, what: 'address' | 'mtu' | 'state'): void {
    this.#book = undefined;
    device.driver.changed?.(device, what);
  }

  /** The device's link has come or gone. */
  carrierChanged(_device: Interface): void {
    this.#book = undefined;
  }

  #receive(skb: Skb, device: Interface, prerouted: boolean): void {
    this.#send(
      this.#ready(() => {
        const known = this.book.devices.get(device.name);
        return this.host.receiveSkb(
          skb,
          known ?? { ...DEFAULT_DEVICE_SYSCTLS, name: device.name, addresses: [] },
          prerouted,
        );
      }),
    );
  }

  /** Runs `run` on a host whose addresses and rules are up to date. */
  #ready<T>(run: () => T): T {
    void this.book;
    if (this.#rules !== undefined) {
      const rules = this.#rules;
      this.#rules = undefined;
      for (const ruleSet of rules()) this.host.netfilter.load(ruleSet);
    }
    if (this.#sets !== undefined) {
      const sets = this.#sets;
      this.#sets = undefined;
      this.host.netfilter.loadSets(sets());
    }
    return run();
  }

  #send(passage: Passage): Passage {
    for (const transmission of passage.transmissions) this.transmit(transmission);
    return passage;
  }

  readonly #receiveEarly: EarlyReceiver = (packet, delivery) => {
    const { transport } = packet;
    const receiver =
      transport.kind === 'udp'
        ? this.#udpReceivers.get(transport.dport)
        : this.#protocolReceivers.get(protocolOf(packet));
    return receiver?.(packet, delivery) === true;
  };

  #makeBook(): AddressBook {
    const devices: Device[] = [...this.#addresses].map(([device, addresses]) => ({
      ...DEFAULT_DEVICE_SYSCTLS,
      forwarding: this.sysctls.number('net.ipv4.ip_forward', 0) !== 0,
      name: device.name,
      mtu: device.mtu,
      addresses,
    }));
    return new AddressBook(devices, this.#routes);
  }
}

/** How a frame was addressed, as eth_type_trans sees it. */
function packetTypeOf(destination: MacAddress, own: MacAddress): PacketType {
  if (destination === BROADCAST_MAC) return 'broadcast';
  if (isMulticastMac(destination)) return 'multicast';
  return destination === own ? 'host' : 'other-host';
}
