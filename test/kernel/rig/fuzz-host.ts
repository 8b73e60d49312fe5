/** Random hosts: a few devices with addresses, routes of every kind, sysctls. */
import type { HostPlan } from '../../../src/cli/kernel/host-plan.ts';
import { DEFAULT_CONNTRACK } from '../../../src/netfilter/conntrack/timeouts.ts';
import { DEFAULT_DEVICE_SYSCTLS, type Device } from '../../../src/netstack/device.ts';
import type { Route } from '../../../src/netstack/route-table.ts';
import { type IpAddress, parseIpAddress } from '../../../src/wire/ip-address.ts';
import { parseInterfaceAddress, parseIpPrefix } from '../../../src/wire/ip-prefix.ts';
import type { Dice } from './dice.ts';

/** One device's neighbourhood: who may send there, and from where. */
export interface Segment {
  readonly device: string;
  readonly own: readonly IpAddress[];
  readonly peers: readonly IpAddress[];
}

export interface FuzzHost {
  readonly plan: HostPlan;
  readonly segments: readonly Segment[];
  /** Addresses that no device has: targets of translation, of the default route, of routes that refuse. */
  readonly remote: readonly IpAddress[];
}

const NAMES = ['eth0', 'veth1', 'cni0', 'docker0', 'eth1', 'tun-a'];

const address = parseIpAddress;

/** The IPv4 addresses of the device with this number, most with a second subnet or a secondary address. */
function addressTexts(dice: Dice, number: number): string[] {
  const main = dice.weighted(
    [6, `10.0.${number}.1/24`],
    [1, `10.0.${number}.1/32`],
    [1, `10.0.${number}.1/28`],
  );
  const more = dice.some([`10.0.${number}.2/24`, `172.16.${number}.1/16`, `192.168.${number}.254/30`], 15);
  return dice.chance(93) ? [main, ...more] : [...more, main];
}

function randomDevice(dice: Dice, name: string, number: number): Device {
  return {
    ...DEFAULT_DEVICE_SYSCTLS,
    name,
    addresses: dice.chance(4) ? [] : addressTexts(dice, number).map(parseInterfaceAddress),
    rpFilter: dice.weighted([7, 0], [2, 1], [2, 2]),
    routeLocalnet: dice.chance(15),
    acceptLocal: dice.chance(5),
    forwarding: dice.chance(96),
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

function randomRoutes(dice: Dice, devices: readonly Device[]): Route[] {
  const routes: Route[] = [];
  const numbered = devices.map((device, index) => ({ name: device.name, number: index + 1 }));
  const gatewayOf = ({ number }: { number: number }) => address(`10.0.${number}.254`);
  const any = () => dice.pick(numbered);
  if (dice.chance(75)) {
    const by = any();
    routes.push(route('0.0.0.0/0', 'unicast', by.name, dice.chance(80) ? gatewayOf(by) : undefined));
  }
  // Neighbours of a device whose own prefix does not cover them.
  for (const { name, number } of numbered) {
    if (dice.chance(40)) routes.push(route(`10.0.${number}.0/25`, 'unicast', name));
    if (dice.chance(20)) routes.push(route(`10.0.${number}.9/32`, 'unicast', any().name));
  }
  for (const prefix of ['10.244.1.0/24', '10.244.2.0/24', '10.244.0.0/16']) {
    if (!dice.chance(50)) continue;
    const by = any();
    routes.push(route(prefix, 'unicast', by.name, dice.chance(60) ? gatewayOf(by) : undefined));
  }
  for (const type of ['unreachable', 'prohibit', 'blackhole', 'throw'] as const) {
    if (dice.chance(15)) routes.push(route(`198.18.${dice.between(0, 3)}.0/24`, type, 'lo'));
  }
  const seen = new Set<string>();
  return routes.filter(({ prefix }) => {
    const key = JSON.stringify(prefix);
    return !seen.has(key) && seen.add(key);
  });
}

const REMOTE = [
  '10.9.9.9',
  '10.9.9.10',
  '10.96.0.1',
  '10.96.0.10',
  '10.244.1.5',
  '10.244.1.6',
  '10.244.2.7',
  '8.8.8.8',
  '203.0.113.7',
  '198.18.0.1',
  '198.18.1.1',
  '198.18.2.2',
].map(address);

/** A host of two to four devices. */
export function randomHost(dice: Dice): FuzzHost {
  const count = dice.between(2, 4);
  const devices = NAMES.slice(0, count).map((name, index) => randomDevice(dice, name, index + 1));
  return {
    plan: {
      devices,
      routes: randomRoutes(dice, devices),
      conntrack: { ...DEFAULT_CONNTRACK, tcpLoose: dice.chance(80), tcpBeLiberal: dice.chance(10) },
    },
    segments: devices.map(({ name, addresses }, index) => ({
      device: name,
      own: addresses.map(({ address: own }) => own),
      peers: [9, 10, 20, 200].map((last) => address(`10.0.${index + 1}.${last}`)),
    })),
    remote: REMOTE,
  };
}
