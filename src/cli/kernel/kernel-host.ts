/**
 * A host of the real kernel: a private namespace with the planned devices, addresses, routes, sysctls, sets
 * and rules. The other end of every device is in this process (tap-device.ts).
 *
 * The devices do no ARP: a packet that waits for a neighbour would meet the rules once before and once
 * after. The kernel's own chatter (router solicitations, group reports) is kept down as far as sysctls go.
 */
import { writeFileSync } from 'node:fs';
import type { Device } from '../../netstack/device.ts';
import type { Route } from '../../netstack/route-table.ts';
import { familyOf, formatIpAddress } from '../../wire/ip-address.ts';
import { formatIpPrefix } from '../../wire/ip-prefix.ts';
import { conntrackSysctlFiles, type HostPlan, type KernelPlan, type RulesText } from './host-plan.ts';
import { InputLog, OBSERVER_RULES } from './input-log.ts';
import { KernelUnavailable, type Libc, loadLibc } from './libc.ts';
import { waitForLocalRoutes } from './local-routes.ts';
import { PrivateNamespace } from './private-namespace.ts';
import { runProgram } from './programs.ts';
import { RawSender } from './raw-sender.ts';
import { TapDevice } from './tap-device.ts';

/** Written before any device exists, so that every device inherits what is under `default`. */
const FIRST_SYSCTLS: readonly (readonly [string, string])[] = [
  // No link-local addresses and no duplicate address detection: a host has the addresses of its plan.
  ['ipv6/conf/default/addr_gen_mode', '1'],
  ['ipv6/conf/default/accept_dad', '0'],
  ['ipv6/conf/default/router_solicitations', '0'],
  ['ipv6/conf/default/accept_ra', '0'],
  // Redirects are advice beside a forwarded packet, not its fate, and come at a limited rate.
  ['ipv4/conf/all/send_redirects', '0'],
  ['ipv4/conf/default/send_redirects', '0'],
  // Those of `all` apply to every device on top of its own.
  ['ipv4/conf/all/rp_filter', '0'],
  ['ipv4/conf/default/rp_filter', '0'],
  ['ipv4/conf/all/route_localnet', '0'],
  ['ipv4/conf/all/accept_local', '0'],
  ['ipv4/conf/all/log_martians', '0'],
  // No rate limit on any ICMP type. The token bucket itself must stay: "no route" answers draw from it.
  ['ipv4/icmp_ratemask', '0'],
  ['ipv6/icmp/ratelimit', '0'],
  ['ipv4/ip_forward', '1'],
  ['ipv6/conf/all/forwarding', '1'],
  ['ipv6/conf/default/forwarding', '1'],
];

const SYSCTL_ROOT = '/proc/sys/net';

/** As large as such a device allows: without an MTU in the plan nothing is too big. */
const LARGEST_MTU = 65521;

/** The locally administered MAC address of the device with this index in the plan. */
function macOf(index: number): Uint8Array {
  return Uint8Array.of(2, 0, 0, 0, index >> 8, index & 255);
}

function formatMac(mac: Uint8Array): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

function setSysctl(path: string, value: string): void {
  try {
    writeFileSync(`${SYSCTL_ROOT}/${path}`, value);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new KernelUnavailable(`the kernel's sysctl net/${path} cannot be set to ${value}: ${cause}`);
  }
}

/** `ip -batch` commands for one device. */
function deviceCommands({ name, addresses, mtu = LARGEST_MTU }: Device, index: number): string[] {
  const up =
    name === 'lo'
      ? []
      : [
          `link set dev ${name} address ${formatMac(macOf(index))} mtu ${mtu} arp off`,
          `link set dev ${name} up`,
        ];
  const adds = addresses.map((address) => {
    const nodad = familyOf(address.address) === 'ipv6' ? ' nodad' : '';
    // lo comes with its own addresses: "replace" takes those that are there already.
    return `address replace ${formatIpPrefix(address)} dev ${name}${nodad}`;
  });
  return [...up, ...adds];
}

/** A device of a smaller MTU has no IPv6 (RFC 8200 §5). */
const IPV6_MINIMUM_MTU = 1280;

function deviceSysctls({
  name,
  rpFilter,
  routeLocalnet,
  acceptLocal,
  forwarding,
  mtu = LARGEST_MTU,
}: Device): readonly (readonly [path: string, value: string])[] {
  const flag = (value: boolean) => (value ? '1' : '0');
  return [
    [`ipv4/conf/${name}/rp_filter`, String(rpFilter)],
    [`ipv4/conf/${name}/route_localnet`, flag(routeLocalnet)],
    [`ipv4/conf/${name}/accept_local`, flag(acceptLocal)],
    [`ipv4/conf/${name}/forwarding`, flag(forwarding)],
    ...(mtu < IPV6_MINIMUM_MTU ? [] : [[`ipv6/conf/${name}/forwarding`, flag(forwarding)] as const]),
  ];
}

function routeCommand({ type, prefix, device, gateway, src, metric }: Route): string {
  const parts = [`route add ${type} ${formatIpPrefix(prefix)}`];
  if (gateway !== undefined) parts.push(`via ${formatIpAddress(gateway)}`);
  if (type === 'unicast') parts.push(`dev ${device}`);
  // A gateway need not be on a subnet of the device, as with 169.254.1.1 on a /32.
  if (gateway !== undefined) parts.push('onlink');
  if (src !== undefined) parts.push(`src ${formatIpAddress(src)}`);
  // Equal prefixes of one metric exclude each other; IPv6's default metric is 1024, 0 means that too.
  if (metric !== 0) parts.push(`metric ${metric}`);
  return parts.join(' ');
}

interface Parts {
  readonly devices: ReadonlyMap<string, TapDevice>;
  readonly inputLog: InputLog;
  readonly sender: RawSender;
}

/** Loads the rules; the legacy programs want the last line ended. */
function restore(rules: readonly RulesText[], backend: KernelPlan['backend']): void {
  for (const [index, { family, text }] of rules.entries()) {
    const program = `${family === 'ipv4' ? 'iptables' : 'ip6tables'}-${backend}-restore`;
    runProgram(program, index === 0 ? [] : ['--noflush'], text.endsWith('\n') ? text : `${text}\n`);
  }
}

function assemble(libc: Libc, { host, rules, backend }: KernelPlan, open: { close(): void }[]): Parts {
  for (const [path, value] of FIRST_SYSCTLS) setSysctl(path, value);
  const devices = new Map<string, TapDevice>();
  for (const { name } of host.devices) {
    if (name === 'lo') continue;
    const device = TapDevice.open(libc, name);
    open.push(device);
    devices.set(name, device);
  }
  const commands = [
    'link set dev lo up',
    ...host.devices.flatMap(deviceCommands),
    ...host.routes.map(routeCommand),
  ];
  runProgram('ip', ['-batch', '-'], `${commands.join('\n')}\n`);
  waitForLocalRoutes(host.devices.flatMap(({ addresses }) => addresses.map(({ address }) => address)));
  // IPv6 forwards on all devices or on none; writing that one sets every device's, so it comes first.
  const forwards = host.devices.some(({ name, forwarding }) => name !== 'lo' && forwarding);
  if (!forwards) setSysctl('ipv6/conf/all/forwarding', '0');
  for (const device of host.devices) {
    for (const [path, value] of deviceSysctls(device)) setSysctl(path, value);
  }
  // Before the rules: see OBSERVER_RULES.
  runProgram('nft', ['-f', '-'], OBSERVER_RULES);
  const inputLog = InputLog.open(libc);
  open.push(inputLog);
  if (host.sets !== undefined) runProgram('ipset', ['restore'], host.sets);
  restore(rules, backend);
  for (const [path, value] of conntrackSysctlFiles(host.conntrack)) setSysctl(path, String(value));
  const sender = new RawSender(libc);
  open.push(sender);
  // Sockets belong to the namespace in which they are made.
  sender.open('ipv4');
  sender.open('ipv6');
  return { devices, inputLog, sender };
}

export class KernelHost {
  /** Every device but lo. */
  readonly devices: ReadonlyMap<string, TapDevice>;
  readonly inputLog: InputLog;
  readonly sender: RawSender;
  readonly #namespace: PrivateNamespace;
  readonly #macs: ReadonlyMap<string, Uint8Array>;

  private constructor(namespace: PrivateNamespace, parts: Parts, plan: HostPlan) {
    this.#namespace = namespace;
    this.devices = parts.devices;
    this.inputLog = parts.inputLog;
    this.sender = parts.sender;
    this.#macs = new Map(plan.devices.map(({ name }, index) => [name, macOf(index)]));
  }

  /**
   * Builds the host. Throws KernelUnavailable where that cannot be done at all, ProgramFailed when the kernel
   * refuses this plan or these rules; nothing is left behind.
   */
  static build(plan: KernelPlan): KernelHost {
    const libc = loadLibc();
    const namespace = PrivateNamespace.make(libc);
    const open: { close(): void }[] = [];
    try {
      const parts = namespace.run(() => assemble(libc, plan, open));
      return new KernelHost(namespace, parts, plan.host);
    } catch (error) {
      for (const part of open) part.close();
      namespace.close();
      throw error;
    }
  }

  /** The MAC address of a device. Throws RangeError for an unknown one. */
  mac(ifname: string): Uint8Array {
    const mac = this.#macs.get(ifname);
    if (mac === undefined) throw new RangeError(`the host has no device ${ifname}`);
    return mac;
  }

  /** Runs one of the machine's programs on this host and returns what it prints. */
  run(program: string, args: readonly string[], input = ''): string {
    return this.#namespace.run(() => runProgram(program, args, input));
  }

  /** Runs `action` in the host's namespace; it must be synchronous. */
  inside<T>(action: () => T): T {
    return this.#namespace.run(action);
  }

  /** Takes everything down. */
  close(): void {
    for (const device of this.devices.values()) device.close();
    this.inputLog.close();
    this.sender.close();
    this.#namespace.close();
  }
}
