/**
 * One network namespace: its devices, and between them the host at layer 3 with its neighbours, rules and
 * sockets. It is configured with the verbs of `ip`.
 *
 *   frame in ─▶ (bridge) ─▶ ARP, or Host.receive ─▶ transmissions ─▶ neighbour ─▶ frame out
 */
import { SeededChoices } from '../netfilter/choices.ts';
import type { ConntrackSysctls } from '../netfilter/conntrack/timeouts.ts';
import { Netfilter } from '../netfilter/netfilter.ts';
import type { RuleSet } from '../netfilter/rule-set.ts';
import { Skb } from '../netfilter/skb.ts';
import { Random, seedFor } from '../sim/random.ts';
import type { Scheduler } from '../sim/scheduler.ts';
import { type Frame, ipFrame } from '../wire/frame.ts';
import { type IpAddress, sameAddress } from '../wire/ip-address.ts';
import { localMac, type MacAddress } from '../wire/mac.ts';
import type { Packet } from '../wire/packet.ts';
import { AddressBook, selectAddress } from './addressing.ts';
import { type Answerer, closedHost } from './answer.ts';
import { addBridge, type BridgeSpec } from './bridge/add-bridge.ts';
import { Bridge } from './bridge/bridge.ts';
import type { BridgeHooks } from './bridge/bridge-hooks.ts';
import { BridgeNetfilter } from './bridge/netfilter.ts';
import { Configuration } from './configuration.ts';
import { DEFAULT_DEVICE_SYSCTLS } from './device.ts';
import type { Transmission } from './fate.ts';
import { type EarlyReceiver, Host, type Passage, type SendOptions } from './host.ts';
import { IcmpLimiter } from './icmp-limit.ts';
import { LateRules } from './late-rules.ts';
import { LOOPBACK_DRIVER } from './link/dummy.ts';
import { Interface, type InterfaceSpec } from './link/interface.ts';
import { packetTypeOf } from './link/packet-type.ts';
import type { NamespaceEvent, NamespaceTrace } from './namespace-events.ts';
import type { FrameContext, NamespaceOptions } from './namespace-options.ts';
import { NeighbourTable } from './neighbour/neighbour-table.ts';
import { ProxyNeighbours } from './neighbour/proxy.ts';
import type { Flow } from './policy-rule.ts';
import { type PathSettings, RouteExceptions } from './route-exceptions.ts';
import type { Route } from './route-table.ts';
import { networkOf } from './sockets/namespace-network.ts';
import { Sockets } from './sockets/sockets.ts';
import { conntrackSettings } from './sysctls/conntrack.ts';
import { type EncapReceiver, EncapReceivers } from './tunnel/receivers.ts';

export type { FrameContext, NamespaceOptions } from './namespace-options.ts';
export type { EncapReceiver } from './tunnel/receivers.ts';

/** As long as an IP packet can be. */
const MAX_MTU = 65_535;

export class Namespace extends Configuration {
  readonly scheduler: Scheduler;
  readonly host: Host;
  readonly neighbours: NeighbourTable;
  /** Addresses of others for which ARP and neighbour solicitations are answered. */
  readonly proxied = new ProxyNeighbours();
  /** Who looks at frames inside this namespace's bridges. */
  bridgeHooks: BridgeHooks | undefined;
  readonly #seed: number;
  readonly #conntrack: ConntrackSysctls | undefined;
  readonly #rules: LateRules;
  #trace: NamespaceTrace | undefined;
  #sockets: Sockets | undefined;
  #openers: ((sockets: Sockets) => void)[] = [];
  readonly #receivers = new EncapReceivers();

  constructor(options: NamespaceOptions) {
    const { name, scheduler, seed, conntrack, backend, finder } = options;
    super(name, options.sysctls ?? {});
    this.scheduler = scheduler;
    this.#conntrack = conntrack;
    this.#seed = seed ?? 0;
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
    this.#rules = new LateRules(netfilter, options);
    this.host = new Host({ addresses: new AddressBook([], []), netfilter });
    this.host.icmpLimiter = new IcmpLimiter(this.sysctls, this.randomFor('icmp'));
    const identifications = this.randomFor('identification');
    // 16 bits do for both families; 0 would mean none.
    this.host.identify = () => identifications.below(0xffff) + 1;
    this.host.exceptions = new RouteExceptions(() => this.#pathSettings());
    this.#readConntrackSysctls();
    this.host.earlyReceiver = this.#receiveEarly;
    this.host.deferLoopback = (resume, skb) => this.#loopLater(resume, skb);
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

  protected makeInterface(index: number, spec: InterfaceSpec): Interface {
    const random = this.randomFor(`mac ${spec.name}`);
    return new Interface(this, index, { mac: localMac(random.uint32() & 0xffff, random.uint32()), ...spec });
  }

  protected booked(book: AddressBook): void {
    book.alsoJoined = (group, device) => this.proxied.listensTo(group, device);
    this.host.addresses = book;
  }

  /** `ip link add NAME type bridge`: returns its device; ports are added with `setMaster`. */
  addBridge(spec: BridgeSpec): Interface {
    this.bridgeHooks ??= new BridgeNetfilter(this);
    return addBridge(this, spec);
  }

  // ——— neighbours, sysctls, rules ———

  /** `ip neigh replace ADDRESS lladdr MAC dev DEVICE nud permanent`. */
  addNeighbour(device: Interface, address: IpAddress, mac: MacAddress): void {
    this.neighbours.addPermanent(address, mac, device);
  }

  /** `ip neigh add proxy ADDRESS dev DEVICE`. */
  addProxyNeighbour(device: Interface, address: IpAddress): void {
    this.proxied.add(address, device.name);
  }

  override setSysctl(name: string, value: string | number): void {
    super.setSysctl(name, value);
    if (name.includes('nf_conntrack_')) this.#readConntrackSysctls();
  }

  /** Replaces the rule sets; they are loaded when the next packet meets a hook. */
  setRules(rules: () => readonly RuleSet[]): void {
    this.#rules.replace(rules);
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
      for (const open of this.#openers.splice(0)) open(this.#sockets);
    }
    return this.#sockets;
  }

  /**
   * Calls `open` when somebody first uses the sockets, or a packet is first delivered here: programs start
   * late, since most namespaces of a large cluster never see a packet.
   */
  whenSocketsOpen(open: (sockets: Sockets) => void): void {
    if (this.#sockets !== undefined) {
      open(this.#sockets);
      return;
    }
    this.#openers.push(open);
    this.answerer = (packet, delivery) => this.sockets.answer(packet, delivery);
  }

  /** Lets `receiver` have UDP datagrams to `port` before sockets do (udp_tunnel_sock). */
  receiveUdp(port: number, receiver: EncapReceiver | undefined): void {
    this.#receivers.setPort(port, receiver);
  }

  /** Lets `receiver` have packets of an IP protocol before sockets do (inet_add_protocol). */
  receiveProtocol(protocol: number, receiver: EncapReceiver | undefined): void {
    this.#receivers.setProtocol(protocol, receiver);
  }

  /** Where everything that happens is told; undefined: nobody listens. */
  set trace(sink: NamespaceTrace | undefined) {
    this.#trace = sink;
    this.host.trace = sink;
  }

  /** Whether anybody listens: then events are worth making. */
  get traced(): boolean {
    return this.#trace !== undefined;
  }

  tell(event: NamespaceEvent): void {
    this.#trace?.(event);
  }

  /** A stream of random numbers of this namespace's own, the same in every run of one seed. */
  randomFor(purpose: string): Random {
    return new Random(seedFor(this.#seed, `${this.name} ${purpose}`));
  }

  /**
   * The longest packet, in bytes, that is known to reach `dst`: the MTU of the device its route leaves by, or
   * less when a router has said so (path MTU discovery). Undefined without a route.
   */
  pathMtu(dst: IpAddress): number | undefined {
    const route = this.book.routes.lookup(dst);
    if (route === undefined) return undefined;
    if (route.type === 'local') return this.interface('lo')?.mtu;
    const { device } = route;
    const mtu = route.mtu ?? this.interface(device)?.mtu ?? MAX_MTU;
    const known = this.host.exceptions.mtu({ dst, device, forwarded: false, now: this.scheduler.now() });
    return Math.min(mtu, known ?? mtu);
  }

  /** The route that a packet of our own to `dst` takes, and the source it has unless it is bound to one. */
  routeTo(
    dst: IpAddress,
    flow?: Flow,
  ): { readonly route: Route; readonly source: IpAddress | undefined } | undefined {
    const route = this.book.routes.lookup(dst, undefined, flow);
    if (route === undefined) return undefined;
    // IPv4 asks for an address that suits the next hop, IPv6 for one that suits the destination.
    const target = typeof dst === 'number' ? (route.gateway ?? dst) : dst;
    const chosen = () => selectAddress(this.book.devices, route.device, target);
    return { route, source: route.src ?? (route.type === 'local' ? dst : chosen()) };
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
  frameIn(
    device: Interface,
    frame: Frame,
    { skb: known, prerouted = false, toHost }: FrameContext = {},
  ): void {
    const { payload } = frame;
    const packetType = toHost === true ? 'host' : packetTypeOf(frame.destination, device.mac);
    if (packetType === 'other-host') {
      device.dropIn(frame, 'not-for-us');
      return;
    }
    switch (payload.kind) {
      case 'arp':
        this.neighbours.arpIn(payload.message, device, packetType);
        return;
      case 'other':
        device.dropIn(frame, 'unknown-protocol');
        return;
      case 'ip': {
        if (typeof payload.packet.src !== 'number' && this.#refusesIpv6(device)) {
          device.dropIn(frame, 'ipv6-disabled');
          return;
        }
        const skb = known ?? new Skb(payload.packet, device.name);
        skb.inDevice = device.name;
        skb.packetType = packetType;
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
    const device = this.interface(transmission.device);
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

  /** A packet is too long for the way under a tunnel, which takes `mtu` bytes of it: its sender is told. */
  tunnelTooNarrow(skb: Skb, packet: Packet, mtu: number): void {
    const failed = skb.clone();
    failed.packet = packet;
    this.#send(this.#ready(() => this.host.tunnelTooNarrow(failed, mtu)));
  }

  /** A device has a new address, MTU or state: what else follows from that. */
  interfaceChanged(device: Interface, what: 'address' | 'mtu' | 'state'): void {
    this.changed();
    if (what !== 'mtu') this.neighbours.forget(device);
    if (what === 'state' && !device.up) {
      this.forgetRoutesOf(device);
      this.#forgetMasqueraded(device.name);
    }
    device.driver.changed?.(device, what);
    if (device.master?.driver instanceof Bridge) device.master.driver.portChanged(device);
  }

  /** The device's link has come or gone: what was learned through it is not believed any more. */
  carrierChanged(device: Interface): void {
    if (!device.carrier) this.neighbours.forget(device, 'learned');
    if (device.master?.driver instanceof Bridge) device.master.driver.portChanged(device);
  }

  override removeAddress(device: Interface, address: IpAddress): void {
    super.removeAddress(device, address);
    this.#forgetMasqueraded(device.name, address);
  }

  /** Flows that MASQUERADE gave an address which is gone end with it (masq_device_event, masq_inet_event). */
  #forgetMasqueraded(device: string, address?: IpAddress): void {
    const { conntrack } = this.host.netfilter;
    for (const entry of [...conntrack.entries(this.scheduler.now())]) {
      if (entry.masqueradeDevice !== device) continue;
      if (address === undefined || sameAddress(entry.reply.dst, address)) conntrack.delete(entry);
    }
  }

  #refusesIpv6(device: Interface): boolean {
    return this.sysctls.ipv6Conf(device.name, 'disable_ipv6') !== 0;
  }

  /** Whether a tunnel or a socket of this namespace may have sent `quoted`. */
  #sentHere(quoted: Packet): boolean {
    return this.#sockets?.sent(quoted) === true || this.#receivers.mayHaveSent(quoted);
  }

  #pathSettings(): PathSettings {
    return {
      lifetime: this.sysctls.number('net.ipv4.route.mtu_expires'),
      minimum: this.sysctls.number('net.ipv4.route.min_pmtu'),
      noDiscovery: this.sysctls.number('net.ipv4.ip_no_pmtu_disc'),
      sentHere: (quoted) => this.#sentHere(quoted),
    };
  }

  #readConntrackSysctls(): void {
    const number = (name: string) => {
      const text = this.sysctls.entries().get(name);
      return text === undefined || !Number.isFinite(Number(text)) ? undefined : Number(text);
    };
    this.host.netfilter.sysctls = conntrackSettings(number, this.#conntrack);
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

  /** Loads the rules and sets that the next packet would load: for those who want to see them. */
  loadRules(): void {
    this.#ready(() => undefined);
  }

  /** Runs `run` on a host whose addresses and rules are up to date. */
  #ready<T>(run: () => T): T {
    void this.book;
    this.#rules.load();
    return run();
  }

  #send(passage: Passage): Passage {
    for (const transmission of passage.transmissions) this.transmit(transmission);
    return passage;
  }

  /** What leaves by lo comes in again when the kernel gets to it; lo that is down swallows it. */
  #loopLater(resume: () => Passage, { packet, inDevice = 'lo' }: Skb): void {
    const lo = inDevice === 'lo' ? this.interface('lo') : undefined;
    if (lo?.loops(packet, 'out') === false) return;
    this.scheduler.after(0, () => {
      if (lo?.loops(packet, 'in') !== false) this.#send(this.#ready(resume));
    });
  }

  readonly #receiveEarly: EarlyReceiver = (packet, delivery) => {
    const { transport } = packet;
    if (transport.kind === 'icmp' && typeof packet.src !== 'number') {
      const device = this.interface(delivery.device ?? 'lo');
      return device !== undefined && this.neighbours.ndpIn(packet, device);
    }
    return this.#receivers.receive(packet, delivery);
  };
}
