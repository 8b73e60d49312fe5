/** Random hosts: a few devices with addresses, routes of every kind, sysctls, sets. */
import type { HostPlan } from '../../../src/cli/kernel/host-plan.ts';
import { type ConntrackSysctls, DEFAULT_CONNTRACK } from '../../../src/netfilter/conntrack/timeouts.ts';
import { DEFAULT_DEVICE_SYSCTLS, type Device, LOOPBACK } from '../../../src/netstack/device.ts';
import type { Route } from '../../../src/netstack/route-table.ts';
import { formatIpAddress, type IpAddress, type IpFamily } from '../../../src/wire/ip-address.ts';
import { parseInterfaceAddress, parseIpPrefix } from '../../../src/wire/ip-prefix.ts';
import { ADDRESS_PLANS, type AddressPlan } from './address-plan.ts';
import type { Dice } from './dice.ts';

/** One device's neighbourhood: who may send there, and from where. */
export interface Segment {
  readonly device: string;
  readonly own: readonly IpAddress[];
  readonly peers: readonly IpAddress[];
}

export interface FuzzHost {
  readonly addresses: AddressPlan;
  readonly plan: HostPlan;
  readonly segments: readonly Segment[];
  /** The sets of the plan: name, dimensions as `-m set` counts them. */
  readonly sets: readonly { readonly name: string; readonly dimensions: number }[];
}

export interface HostOptions {
  readonly family: IpFamily;
  /** Short conntrack timeouts, so that pauses of seconds expire entries. */
  readonly impatient: boolean;
}

const NAMES = ['eth0', 'veth1', 'cni0', 'docker0', 'eth1', 'tun-a'];

function addressTexts(dice: Dice, { mainTexts, moreTexts }: AddressPlan, number: number): string[] {
  const main = dice.weighted(...mainTexts(number));
  const more = dice.some(moreTexts(number), 15);
  return dice.chance(93) ? [main, ...more] : [...more, main];
}

function randomDevice(dice: Dice, addresses: AddressPlan, name: string, number: number): Device {
  const texts = dice.chance(4) ? [] : addressTexts(dice, addresses, number);
  return {
    ...DEFAULT_DEVICE_SYSCTLS,
    name,
    addresses: texts.map(parseInterfaceAddress),
    rpFilter: dice.weighted([7, 0], [2, 1], [2, 2]),
    routeLocalnet: dice.chance(15),
    acceptLocal: dice.chance(5),
    forwarding: dice.chance(96),
    ...(dice.chance(12) ? { mtu: dice.pick(addresses.mtus) } : {}),
  };
}

/** lo with an address more, as load balancers and DNS caches on nodes have it. */
function loopback({ family, remote }: AddressPlan): Device {
  const extra = formatIpAddress(remote[2] ?? 0);
  return {
    ...LOOPBACK,
    addresses: [...LOOPBACK.addresses, parseInterfaceAddress(`${extra}/${family === 'ipv4' ? 32 : 128}`)],
  };
}

function route(prefix: string, type: Route['type'], device: string, gateway?: IpAddress): Route {
  return {
    type,
    prefix: parseIpPrefix(prefix),
    device,
    metric: 0,
    ...(gateway === undefined ? {} : { gateway }),
  };
}

function randomRoutes(dice: Dice, plan: AddressPlan, devices: readonly Device[]): Route[] {
  const routes: Route[] = [];
  const numbered = devices.map(({ name }, index) => ({ name, number: index + 1 }));
  const through = (prefix: string, byGateway: number) => {
    const { name, number } = dice.pick(numbered);
    routes.push(route(prefix, 'unicast', name, dice.chance(byGateway) ? plan.gateway(number) : undefined));
  };
  if (dice.chance(75)) through(plan.everywhere, 80);
  for (const { name, number } of numbered) {
    if (dice.chance(40)) routes.push(route(plan.halves(number), 'unicast', name));
    if (dice.chance(20)) routes.push(route(plan.single(number), 'unicast', dice.pick(numbered).name));
  }
  for (const prefix of plan.routed) if (dice.chance(50)) through(prefix, 60);
  for (const type of ['unreachable', 'prohibit', 'blackhole', 'throw'] as const) {
    if (dice.chance(15)) routes.push(route(dice.pick(plan.refused), type, 'lo'));
  }
  const seen = new Set<string>();
  return routes.filter(({ prefix }) => {
    const key = JSON.stringify(prefix);
    return !seen.has(key) && seen.add(key);
  });
}

function randomConntrack(dice: Dice, impatient: boolean): ConntrackSysctls {
  const switches = { tcpLoose: dice.chance(80), tcpBeLiberal: dice.chance(10) };
  if (!impatient) return { ...DEFAULT_CONNTRACK, ...switches };
  const few = () => dice.between(2, 5);
  return {
    ...DEFAULT_CONNTRACK,
    ...switches,
    tcp: {
      NONE: 0,
      SYN_SENT: few(),
      SYN_RECV: few(),
      ESTABLISHED: dice.between(4, 9),
      FIN_WAIT: few(),
      CLOSE_WAIT: few(),
      LAST_ACK: few(),
      TIME_WAIT: few(),
      CLOSE: few(),
      // The kernel has no sysctl for simultaneous open; its default stays.
      SYN_SENT2: DEFAULT_CONNTRACK.tcp.SYN_SENT2,
    },
    tcpRetrans: few(),
    tcpUnacknowledged: few(),
    udp: few(),
    udpStream: dice.between(4, 9),
    icmp: few(),
    icmpv6: few(),
    generic: few(),
  };
}

/** `ipset save` text of a few sets of the family, filled from the case's addresses. */
function randomSets(dice: Dice, plan: AddressPlan, segments: readonly Segment[]) {
  const sets: { readonly name: string; readonly dimensions: number }[] = [];
  const lines: string[] = [];
  const family = plan.family === 'ipv4' ? 'inet' : 'inet6';
  const any = () => dice.pick([...segments.flatMap(({ peers }) => peers), ...plan.remote]);
  const add = (type: string, dimensions: number, element: () => string, options = ` family ${family}`) => {
    if (!dice.chance(50)) return;
    const name = `set${sets.length}`;
    sets.push({ name, dimensions });
    lines.push(`create ${name} ${type}${options}`);
    const elements = new Set(Array.from({ length: dice.between(0, 5) }, element));
    lines.push(...[...elements].map((text) => `add ${name} ${text}`));
  };
  const netOf = () => {
    const address = any();
    return dice.chance(50)
      ? formatIpAddress(address)
      : `${plan.sibling(address, 0)}/${plan.family === 'ipv4' ? 24 : 112}`;
  };
  const portOf = () => `${dice.pick(['tcp', 'udp'])}:${dice.pick([53, 80, 443, 8080, 1000])}`;
  add('hash:ip', 1, () => formatIpAddress(any()));
  add('hash:net', 1, netOf);
  add('hash:ip,port', 2, () => `${formatIpAddress(any())},${portOf()}`);
  add('hash:net,port', 2, () => `${netOf()},${portOf()}`);
  add('hash:ip,port,ip', 3, () => `${formatIpAddress(any())},${portOf()},${formatIpAddress(any())}`);
  add('bitmap:port', 1, () => String(dice.pick([53, 80, 443, 8080, 1000])), ' range 0-65535');
  return { sets, text: lines.map((line) => `${line}\n`).join('') };
}

/** A host of two to four devices. */
export function randomHost(dice: Dice, { family, impatient }: HostOptions): FuzzHost {
  const addresses = ADDRESS_PLANS[family];
  const count = dice.between(2, 4);
  const devices = NAMES.slice(0, count).map((name, index) => randomDevice(dice, addresses, name, index + 1));
  const segments = devices.map((device, index) => ({
    device: device.name,
    own: device.addresses.map(({ address }) => address),
    peers: addresses.peers(index + 1),
  }));
  const { sets, text } = dice.chance(20) ? randomSets(dice, addresses, segments) : { sets: [], text: '' };
  return {
    addresses,
    plan: {
      devices: dice.chance(10) ? [...devices, loopback(addresses)] : devices,
      routes: randomRoutes(dice, addresses, devices),
      conntrack: randomConntrack(dice, impatient),
      ...(text === '' ? {} : { sets: text }),
    },
    segments,
    sets,
  };
}
