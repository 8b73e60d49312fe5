/** The same network made of emulated namespaces (see kernel-network.ts). */
import type { Bridge } from '../../../src/netstack/bridge/bridge.ts';
import type { Interface } from '../../../src/netstack/link/interface.ts';
import { createVethPair } from '../../../src/netstack/link/veth.ts';
import { Namespace } from '../../../src/netstack/namespace.ts';
import { createVxlan } from '../../../src/netstack/tunnel/vxlan.ts';
import { toRuleSet } from '../../../src/ruletext/load-rules.ts';
import { parseRules } from '../../../src/ruletext/parse-rules.ts';
import { Scheduler } from '../../../src/sim/scheduler.ts';
import { emitFrame, type Frame } from '../../../src/wire/frame.ts';
import { type IpAddress, type IpFamily, parseIpAddress } from '../../../src/wire/ip-address.ts';
import { parseInterfaceAddress, parseIpPrefix } from '../../../src/wire/ip-prefix.ts';
import { parseMac } from '../../../src/wire/mac.ts';
import type { Packet } from '../../../src/wire/packet.ts';
import { PROTOCOL } from '../../../src/wire/protocol.ts';
import type { CapturedFrame } from './kernel-network.ts';
import { type NetworkSpec, type PlannedDevice, planDevices, type RouteSpec } from './network-spec.ts';

/** Before any device: see QUIET in kernel-network.ts. */
const QUIET = {
  'net.ipv6.conf.default.addr_gen_mode': 1,
  'net.ipv4.conf.all.send_redirects': 0,
  'net.ipv4.conf.default.send_redirects': 0,
};

const ROUTE_TYPES = ['unreachable', 'prohibit', 'blackhole', 'throw'] as const;

function ruleSet(family: IpFamily, text: string) {
  return toRuleSet(parseRules(text, { family, file: 'rules' }));
}

export class EmulatedNetwork {
  readonly scheduler = new Scheduler();
  readonly namespaces = new Map<string, Namespace>();
  #captured: CapturedFrame[] = [];
  readonly #planned: ReadonlyMap<string, readonly PlannedDevice[]>;

  constructor(spec: NetworkSpec, seed: number) {
    this.#planned = planDevices(spec);
    for (const [name, { iptables, ip6tables }] of Object.entries(spec.namespaces)) {
      const namespace = new Namespace({
        name,
        scheduler: this.scheduler,
        seed,
        sysctls: QUIET,
        rules: () => [
          ...(iptables === undefined ? [] : [ruleSet('ipv4', iptables)]),
          ...(ip6tables === undefined ? [] : [ruleSet('ipv6', ip6tables)]),
        ],
      });
      // Somebody who waits for ICMP, as in the kernel's namespaces.
      namespace.sockets.raw(PROTOCOL.icmp, () => {});
      this.namespaces.set(name, namespace);
    }
    // In the order of linkCommands, since devices are found by their index.
    for (const name of Object.keys(spec.namespaces)) {
      for (const [near, far] of spec.wires.filter(([end]) => end.startsWith(`${name}/`)))
        createVethPair(this.#end(near), this.#end(far));
    }
    for (const [name, parts] of Object.entries(spec.namespaces)) {
      const namespace = this.namespace(name);
      const planned = this.#planned.get(name) ?? [];
      for (const device of planned) this.#makeDevice(namespace, device);
      for (const [sysctl, value] of Object.entries(parts.sysctls ?? {})) namespace.setSysctl(sysctl, value);
      for (const device of planned) this.#setUpDevice(namespace, device);
      for (const { name: device, spec: said } of [
        { name: 'lo', spec: parts.devices?.lo ?? {} },
        ...planned,
      ]) {
        for (const address of said.addresses ?? [])
          namespace.addAddress(this.device(name, device), parseInterfaceAddress(address));
      }
      for (const { address, dev, mac } of parts.neighbours ?? []) {
        const device = this.device(name, dev);
        if (mac === undefined) namespace.addProxyNeighbour(device, parseIpAddress(address));
        else namespace.addNeighbour(device, parseIpAddress(address), parseMac(mac));
      }
      for (const route of parts.routes ?? []) this.#addRoute(namespace, route);
      for (const { from, to, iif, fwmark, table, priority } of parts.rules ?? []) {
        namespace.addRule({
          table,
          priority,
          ...(from === undefined ? {} : { from: parseIpPrefix(from) }),
          ...(to === undefined ? {} : { to: parseIpPrefix(to) }),
          ...(iif === undefined ? {} : { iif }),
          ...(fwmark === undefined ? {} : { fwmark: { mark: fwmark, mask: 0xffffffff } }),
        });
      }
      for (const { mac, dev, dst } of parts.fdb ?? []) {
        const device = this.device(name, dev);
        namespace.addFdb(parseMac(mac), device, dst === undefined ? undefined : parseIpAddress(dst));
      }
    }
    this.settle(0.01);
    this.drain();
  }

  namespace(name: string): Namespace {
    const namespace = this.namespaces.get(name);
    if (namespace === undefined) throw new RangeError(`there is no namespace ${name}`);
    return namespace;
  }

  device(at: string, name: string): Interface {
    const device = this.namespace(at).interface(name);
    if (device === undefined) throw new RangeError(`${at} has no device ${name}`);
    return device;
  }

  #end(end: string) {
    const [namespace = '', name = ''] = end.split('/');
    const planned = this.#planned.get(namespace)?.find((device) => device.name === name);
    if (planned === undefined) throw new RangeError(`no device at ${end}`);
    return { namespace: this.namespace(namespace), name, mac: parseMac(planned.mac) };
  }

  #makeDevice(namespace: Namespace, { name, mac, spec }: PlannedDevice): void {
    const common = { name, mac: parseMac(mac) };
    switch (spec.kind) {
      case 'bridge':
        namespace.addBridge({ ...common, ...(spec.ageing === undefined ? {} : { ageing: spec.ageing }) });
        break;
      case 'vxlan': {
        const { id, local, link, port, learning, ttl, tos, df } = spec;
        createVxlan(namespace, {
          ...common,
          id,
          local: parseIpAddress(local),
          ...(link === undefined ? {} : { link: this.device(namespace.name, link) }),
          ...(port === undefined ? {} : { port }),
          ...(learning === undefined ? {} : { learning }),
          ...(ttl === undefined ? {} : { ttl }),
          ...(tos === undefined ? {} : { tos }),
          ...(df === undefined ? {} : { df }),
        });
        break;
      }
      default:
        break;
    }
    const device = this.device(namespace.name, name);
    device.addTap(({ direction, frame }) => {
      if (frame === undefined) return;
      this.#captured.push({ namespace: namespace.name, device: name, direction, bytes: emitFrame(frame) });
    });
  }

  #setUpDevice(namespace: Namespace, { name, spec }: PlannedDevice): void {
    const { mtu, master, hairpin, isolated, learning, flood } = spec;
    const device = this.device(namespace.name, name);
    if (mtu !== undefined) namespace.setMtu(device, mtu);
    if (master !== undefined) namespace.setMaster(device, this.device(namespace.name, master));
    const port = {
      ...(hairpin === undefined ? {} : { hairpin }),
      ...(isolated === undefined ? {} : { isolated }),
      ...(learning === undefined || spec.kind === 'vxlan' ? {} : { learning }),
      ...(flood === undefined ? {} : { flood }),
    };
    if (Object.keys(port).length > 0) namespace.setBridgePort(device, port);
    if (spec.down !== true) namespace.setUp(device, true);
  }

  #addRoute(namespace: Namespace, { to, via, dev, src, metric, mtu, onlink, table }: RouteSpec): void {
    const [first = '', second] = to.split(' ');
    const type = ROUTE_TYPES.find((known) => known === first) ?? 'unicast';
    const destination = second ?? first;
    const gateway: IpAddress | undefined = via === undefined ? undefined : parseIpAddress(via);
    const v6 = [destination, via, src].some((text) => text?.includes(':'));
    const prefix = destination === 'default' ? (v6 ? '::/0' : '0.0.0.0/0') : destination;
    const device = dev ?? (gateway === undefined ? undefined : namespace.book.routes.lookup(gateway)?.device);
    namespace.addRoute({
      type,
      prefix: parseIpPrefix(prefix.includes('/') ? prefix : `${prefix}/${v6 ? 128 : 32}`),
      device: device ?? 'lo',
      metric: metric ?? 0,
      ...(gateway === undefined ? {} : { gateway }),
      ...(src === undefined ? {} : { src: parseIpAddress(src) }),
      ...(mtu === undefined ? {} : { mtu }),
      ...(onlink === undefined ? {} : { onlink }),
      ...(table === undefined ? {} : { table }),
    });
  }

  /** A raw socket of namespace `at` sends `packet`. */
  send(at: string, packet: Packet): void {
    this.namespace(at).send(packet);
  }

  /** Sends `frame` through a device, past the IP layer. */
  frame(at: string, device: string, frame: Frame): void {
    this.device(at, device).transmit(frame);
  }

  /** Takes a device up or down. */
  link(at: string, device: string, up: boolean): void {
    this.namespace(at).setUp(this.device(at, device), up);
  }

  /** Lets `seconds` go by. */
  settle(seconds: number): void {
    this.scheduler.runUntil(this.scheduler.clock.now() + seconds);
  }

  /** Every frame that passed a device since the last call. */
  drain(): CapturedFrame[] {
    const captured = this.#captured;
    this.#captured = [];
    return captured;
  }

  /** The bridge called `name` in a namespace. */
  bridge(at: string, name: string): Bridge {
    return this.device(at, name).driver as Bridge;
  }
}
