/**
 * What a namespace is configured with, in the words of `ip`, `bridge` and `sysctl`: devices, addresses, routes,
 * policy rules, sysctls. From these follows the AddressBook that the host at layer 3 works with; it is made
 * anew when it is asked for after a change.
 */
import { type IpAddress, sameAddress } from '../wire/ip-address.ts';
import { type InterfaceAddress, prefixContains, prefixOf } from '../wire/ip-prefix.ts';
import type { MacAddress } from '../wire/mac.ts';
import { AddressBook } from './addressing.ts';
import { Bridge, type BridgePortOptions } from './bridge/bridge.ts';
import type { Device } from './device.ts';
import type { Interface, InterfaceSpec } from './link/interface.ts';
import { linkLocalAddress } from './link/link-local.ts';
import { DEFAULT_RULES, familyOfRule, type PolicyRule } from './policy-rule.ts';
import type { Route } from './route-table.ts';
import { deviceSettings } from './sysctls/device.ts';
import { SysctlTable } from './sysctls/sysctl-table.ts';
import { VxlanDriver } from './tunnel/vxlan.ts';

type Rules = Record<'ipv4' | 'ipv6', readonly PolicyRule[]>;

export abstract class Configuration {
  readonly name: string;
  readonly sysctls: SysctlTable;
  readonly #interfaces = new Map<string, Interface>();
  readonly #addresses = new Map<Interface, InterfaceAddress[]>();
  #routes: Route[] = [];
  #rules: Rules = { ...DEFAULT_RULES };
  #book: AddressBook | undefined;
  #nextIndex = 1;

  constructor(name: string, sysctls: Readonly<Record<string, string | number>>) {
    this.name = name;
    this.sysctls = new SysctlTable(sysctls);
  }

  /** Makes the live device of `spec`. */
  protected abstract makeInterface(index: number, spec: InterfaceSpec): Interface;

  /** Called when what the book follows from has changed. */
  protected changed(): void {
    this.#book = undefined;
  }

  /** Devices, addresses and routes as they are now. */
  get book(): AddressBook {
    if (this.#book === undefined) {
      this.#book = this.#makeBook();
      this.booked(this.#book);
    }
    return this.#book;
  }

  /** Called with every new book. */
  protected abstract booked(book: AddressBook): void;

  // ——— ip link ———

  /** `ip link add`: down unless `up`. Throws RangeError when the name is taken. */
  addInterface(spec: InterfaceSpec): Interface {
    if (this.#interfaces.has(spec.name))
      throw new RangeError(`${this.name} has a device ${spec.name} already`);
    const device = this.makeInterface(this.#nextIndex++, spec);
    this.#interfaces.set(spec.name, device);
    this.#addresses.set(device, []);
    this.changed();
    return device;
  }

  /** `ip link del`: its addresses, routes and neighbours go with it; so does the other end of a veth. */
  removeInterface(device: Interface): void {
    if (this.#interfaces.get(device.name) !== device) return;
    this.setMaster(device, undefined);
    device.up = false;
    this.#interfaces.delete(device.name);
    this.#addresses.delete(device);
    this.#routes = this.#routes.filter((route) => route.device !== device.name);
    this.changed();
    device.driver.changed?.(device, 'removed');
  }

  /** `ip link set DEVICE up|down`. */
  setUp(device: Interface, up: boolean): void {
    device.up = up;
  }

  /** `ip link set DEVICE mtu BYTES`. */
  setMtu(device: Interface, mtu: number): void {
    device.mtu = mtu;
  }

  /** `ip link set DEVICE address MAC`. */
  setMac(device: Interface, mac: MacAddress): void {
    device.mac = mac;
  }

  /** `ip link set PORT master BRIDGE`, or `nomaster`. Throws RangeError when `bridge` is none. */
  setMaster(port: Interface, bridge: Interface | undefined): void {
    if (bridge !== undefined && !(bridge.driver instanceof Bridge))
      throw new RangeError(`${bridge.name} is no bridge`);
    if (port.master === bridge) return;
    if (port.master?.driver instanceof Bridge) port.master.driver.removePort(port);
    port.master = bridge;
    if (bridge?.driver instanceof Bridge) bridge.driver.addPort(port);
  }

  /** `bridge link set dev PORT hairpin on|off …`. Throws RangeError when the device is no bridge's port. */
  setBridgePort(port: Interface, options: Partial<BridgePortOptions>): void {
    this.#bridgeOf(port).setPort(port, options);
  }

  /**
   * `bridge fdb add MAC dev DEVICE`: on a port of a bridge (`master static`); with `remote`, on a VXLAN device
   * (`dst REMOTE`), where the all-zeros MAC stands for all that are unknown. Throws RangeError for others.
   */
  addFdb(mac: MacAddress, port: Interface, remote?: IpAddress): void {
    if (remote === undefined) {
      this.#bridgeOf(port).addFdb(mac, port);
      return;
    }
    if (!(port.driver instanceof VxlanDriver)) throw new RangeError(`${port.name} is no VXLAN device`);
    port.driver.fdb.add(mac, remote, port.namespace.scheduler.now());
  }

  /** The device called `name`. */
  interface(name: string): Interface | undefined {
    return this.#interfaces.get(name);
  }

  /** Every device, in the order of its index. */
  interfaces(): readonly Interface[] {
    return [...this.#interfaces.values()];
  }

  // ——— ip address ———

  /** `ip address add`. One that is there already stays as it is. */
  addAddress(device: Interface, address: InterfaceAddress): void {
    const own = this.#addresses.get(device);
    if (own === undefined || own.some((known) => sameAddress(known.address, address.address))) return;
    own.push(address);
    this.changed();
  }

  /** `ip address del`: routes that prefer it as their source go with it (fib_sync_down_addr). */
  removeAddress(device: Interface, address: IpAddress): void {
    const left = (this.#addresses.get(device) ?? []).filter((own) => !sameAddress(own.address, address));
    this.#addresses.set(device, left);
    this.#routes = this.#routes.filter(({ src }) => src === undefined || !sameAddress(src, address));
    this.changed();
  }

  /** The addresses of `device`: those given to it in their order, then the link-local one it made itself. */
  addresses(device: Interface): readonly InterfaceAddress[] {
    const own = this.#addresses.get(device) ?? [];
    const linkLocal = linkLocalAddress(device, this.sysctls);
    return linkLocal === undefined || own.some(({ address }) => sameAddress(address, linkLocal.address))
      ? own
      : [...own, linkLocal];
  }

  /** Whether `address` is one of this namespace's own. */
  isLocal(address: IpAddress): boolean {
    return this.book.routes.lookupLocal(address)?.type === 'local';
  }

  // ——— ip route, ip rule ———

  /** `ip route add`; a route by a device that is down counts from when it comes up. */
  addRoute(route: Route): void {
    this.#routes.push(route);
    this.changed();
  }

  /** `ip route del`: every route for which `matches` is true. */
  removeRoutes(matches: (route: Route) => boolean): void {
    this.#routes = this.#routes.filter((route) => !matches(route));
    this.changed();
  }

  /** `ip rule add`. */
  addRule(rule: PolicyRule): void {
    const family = familyOfRule(rule);
    // Of equal priorities the older rule stays in front.
    this.#rules[family] = [...this.#rules[family], rule].sort((a, b) => a.priority - b.priority);
    this.changed();
  }

  /** `ip rule del`: every rule for which `matches` is true. */
  removeRules(matches: (rule: PolicyRule) => boolean): void {
    for (const family of ['ipv4', 'ipv6'] as const) {
      this.#rules[family] = this.#rules[family].filter((rule) => !matches(rule));
    }
    this.changed();
  }

  /** `ip rule`, `ip -6 rule`: in the order of priority; without a family those of both, IPv4's first. */
  rules(family?: 'ipv4' | 'ipv6'): readonly PolicyRule[] {
    return family === undefined ? [...this.#rules.ipv4, ...this.#rules.ipv6] : this.#rules[family];
  }

  // ——— sysctl ———

  /** `sysctl -w NAME=VALUE`. */
  setSysctl(name: string, value: string | number): void {
    this.sysctls.set(name, value);
    this.changed();
  }

  /** What `sysctl NAME` prints; undefined when there is no such sysctl. */
  sysctl(name: string): string | undefined {
    return this.sysctls.get(name);
  }

  /** A device has gone down: what the kernel forgets with it (fib_sync_down_dev, addrconf_ifdown). */
  protected forgetRoutesOf(device: Interface): void {
    this.#routes = this.#routes.filter((route) => route.device !== device.name);
    if (this.sysctls.ipv6Conf(device.name, 'keep_addr_on_down') > 0 || device.kind === 'loopback') return;
    const own = this.#addresses.get(device) ?? [];
    this.#addresses.set(
      device,
      own.filter(({ address }) => typeof address === 'number'),
    );
  }

  #bridgeOf(port: Interface): Bridge {
    const driver = port.master?.driver;
    if (!(driver instanceof Bridge)) throw new RangeError(`${port.name} is no bridge's port`);
    return driver;
  }

  #makeBook(): AddressBook {
    const devices: Device[] = this.interfaces().map((device) => ({
      ...deviceSettings(this.sysctls, device.name),
      name: device.name,
      mtu: device.mtu,
      up: device.up,
      addresses: this.addresses(device),
    }));
    const routes = this.#routes.filter(({ device }) => this.#interfaces.get(device)?.up !== false);
    const custom = this.#rules.ipv4 !== DEFAULT_RULES.ipv4 || this.#rules.ipv6 !== DEFAULT_RULES.ipv6;
    const tables = custom || routes.some(({ table }) => table !== undefined);
    return new AddressBook(devices, routes, tables ? this.#rules : undefined);
  }
}

/** `10.0.0.1/24` and the like belong to one subnet: for whoever asks whether an address is on link. */
export function isOnLink(addresses: readonly InterfaceAddress[], target: IpAddress): boolean {
  return addresses.some(({ address, length }) => prefixContains(prefixOf(address, length), target));
}
