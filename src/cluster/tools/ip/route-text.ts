/** Routes as `ip route` prints them (iproute2's iproute.c), in the order in which the kernel lists them. */
import type { Device } from '../../../netstack/device.ts';
import { type Route, routesOfDevice } from '../../../netstack/route-table.ts';
import { familyOf, formatIpAddress, type IpFamily, sameAddress } from '../../../wire/ip-address.ts';
import {
  comparePrefix,
  formatIpPrefix,
  type IpPrefix,
  prefixContains,
  prefixOf,
} from '../../../wire/ip-prefix.ts';

/** The parts of a line that depend on what was asked. */
export interface RouteTextOptions {
  /** The table's name, printed when several tables are listed at once. */
  readonly table?: string;
  /** The device that the list is limited to: it is not repeated. */
  readonly device?: string;
  /** The list is limited to one gateway, which is not repeated. */
  readonly hideGateway?: boolean;
}

function samePrefix(a: IpPrefix, b: IpPrefix): boolean {
  return a.length === b.length && sameAddress(a.address, b.address);
}

/** True for the routes that the kernel makes of a device's addresses (`proto kernel`). */
export function isKernelRoute(route: Route, devices: ReadonlyMap<string, Device>): boolean {
  const device = devices.get(route.device);
  if (device === undefined || route.gateway !== undefined) return false;
  return routesOfDevice(device).some(
    ({ type, prefix, metric }) =>
      type === route.type && metric === route.metric && samePrefix(prefix, route.prefix),
  );
}

/**
 * The routes as the kernel holds them: a subnet with several addresses of one device is connected once, and
 * its other addresses are local with the first one as their source (fib_add_ifaddr).
 */
export function asKernelHolds(routes: readonly Route[], devices: ReadonlyMap<string, Device>): Route[] {
  const seen = new Map<string, Route>();
  const kept: Route[] = [];
  for (const route of routes) {
    const { type, prefix, device, metric, src } = route;
    if (typeof prefix.address !== 'number' || !isKernelRoute(route, devices)) {
      kept.push(route);
      continue;
    }
    const key = `${type} ${formatIpPrefix(prefix)} ${device} ${metric}`;
    if (seen.has(key)) continue;
    seen.set(key, route);
    const own = devices.get(device)?.addresses.filter(({ address }) => typeof address === 'number') ?? [];
    const at = own.find(({ address }) => src !== undefined && sameAddress(address, src));
    const primary = own.find(
      ({ address, length }) =>
        at !== undefined && length === at.length && prefixContains(prefixOf(at.address, length), address),
    );
    kept.push(primary === undefined ? route : { ...route, src: primary.address });
  }
  return kept;
}

function isDefault({ length }: IpPrefix): boolean {
  return length === 0;
}

/** A whole address is printed without its length. */
export function destinationText(prefix: IpPrefix): string {
  if (isDefault(prefix)) return 'default';
  const whole = typeof prefix.address === 'number' ? 32 : 128;
  return prefix.length === whole ? formatIpAddress(prefix.address) : formatIpPrefix(prefix);
}

/** The scope of an IPv4 route, unless it is the usual one (RTN and RT_SCOPE in rtnetlink.h). */
function scopeText({ type, gateway, prefix, device }: Route): string {
  if (typeof prefix.address !== 'number') return '';
  if (type === 'local') return 'scope host ';
  if (type === 'broadcast' || type === 'multicast') return 'scope link ';
  return type === 'unicast' && gateway === undefined && device !== '' ? 'scope link ' : '';
}

/** IPv6 routes always have a metric, 1024 unless another is given; the kernel's own have theirs. */
function metricText(route: Route, kernel: boolean): string {
  const { metric, prefix } = route;
  if (typeof prefix.address === 'number') return metric === 0 ? '' : `metric ${metric} `;
  return `metric ${metric === 0 && !kernel ? 1024 : metric} `;
}

/** Types that need no device: the kernel names lo for IPv6 and none for IPv4. */
const REFUSING: ReadonlySet<Route['type']> = new Set(['unreachable', 'prohibit', 'blackhole', 'throw']);

/** One line, without its newline. */
export function formatRoute(
  route: Route,
  devices: ReadonlyMap<string, Device>,
  options: RouteTextOptions = {},
): string {
  const { type, prefix, gateway, src } = route;
  const v6 = typeof prefix.address !== 'number';
  const kernel = isKernelRoute(route, devices);
  const refusing = REFUSING.has(type);
  const device = refusing ? (v6 ? 'lo' : '') : route.device;
  return [
    type === 'unicast' ? '' : `${type} `,
    `${destinationText(prefix)} `,
    gateway === undefined || options.hideGateway === true
      ? ''
      : `via ${v6 || typeof gateway === 'number' ? '' : 'inet6 '}${formatIpAddress(gateway)} `,
    device === '' || options.device !== undefined ? '' : `dev ${device} `,
    options.table === undefined ? '' : `table ${options.table} `,
    kernel ? 'proto kernel ' : '',
    refusing ? '' : scopeText(route),
    src === undefined || (v6 && kernel) ? '' : `src ${formatIpAddress(src)} `,
    metricText(route, kernel),
    route.mtu === undefined ? '' : `mtu ${route.mtu} `,
    v6 ? 'pref medium' : '',
  ].join('');
}

/** IPv4: the trie in key order, longer prefixes first among equal keys, then lower metrics. */
function compareIpv4(a: Route, b: Route): number {
  const keys = comparePrefix({ ...a.prefix, length: 0 }, { ...b.prefix, length: 0 });
  return keys || b.prefix.length - a.prefix.length || a.metric - b.metric;
}

/** IPv6: the tree is walked children first, so the default route comes last (fib6_walk). */
function compareIpv6(a: Route, b: Route): number {
  if (!samePrefix(a.prefix, b.prefix)) {
    if (prefixContains(a.prefix, b.prefix.address) && a.prefix.length < b.prefix.length) return 1;
    if (prefixContains(b.prefix, a.prefix.address) && b.prefix.length < a.prefix.length) return -1;
  }
  return comparePrefix(a.prefix, b.prefix) || a.metric - b.metric;
}

/** `routes` of one family and one table in the order of `ip route`. */
export function sortRoutes(routes: readonly Route[], family: IpFamily): Route[] {
  const own = routes.filter(({ prefix }) => familyOf(prefix.address) === family);
  return own.sort(family === 'ipv4' ? compareIpv4 : compareIpv6);
}
