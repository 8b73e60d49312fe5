/**
 * The host of `kubewire eval` and `verify`: a YAML file that names its devices, routes and sysctls. In: text.
 * Out: values that cannot be wrong. Refuses unknown fields, devices that do not exist, host bits in prefixes.
 */
import { type Cursor, fail, field, rootCursor } from '../../kube/decode/cursor.ts';
import { integer, list, optional, required, string, withDefault } from '../../kube/decode/decoders.ts';
import { refuseUnknownFields } from '../../kube/decode/strict.ts';
import { describeValue, parsePlainObject } from '../../kube/manifest/manifest.ts';
import { DEFAULT_DEVICE_SYSCTLS, type Device } from '../../netstack/device.ts';
import type { Route, RouteType } from '../../netstack/route-table.ts';
import { AddressError, familyOf, type IpAddress, ipv6, tryParseIpAddress } from '../../wire/ip-address.ts';
import { type IpPrefix, parseInterfaceAddress, parseIpPrefix } from '../../wire/ip-prefix.ts';

export interface HostSpec {
  readonly devices: readonly Device[];
  /** Besides the connected ones. */
  readonly routes: readonly Route[];
  readonly tcpLoose: boolean;
  readonly tcpBeLiberal: boolean;
  /** nf_conntrack_max; undefined: the default. */
  readonly conntrackMax?: number;
  /** The file of `ipset save` text, as the host file names it. */
  readonly setsFile?: string;
}

const FIELDS = [
  'interfaces',
  'routes',
  'rpFilter',
  'routeLocalnet',
  'ipForward',
  'tcpLoose',
  'tcpBeLiberal',
  'conntrackMax',
  'sets',
];

/** Runs a parser of text that throws AddressError, and says where the text stands. */
function addressText<T>(parse: (text: string) => T): (at: Cursor) => T {
  return (at) => {
    try {
      return parse(string(at));
    } catch (error) {
      if (error instanceof AddressError) return fail(at, error.message);
      throw error;
    }
  };
}

function ipAddress(at: Cursor): IpAddress {
  const address = tryParseIpAddress(string(at));
  return address ?? fail(at, `${describeValue(at.value)} is not an IP address`);
}

/** A sysctl: 0 or 1, or the words for them. */
function toggle(at: Cursor): boolean {
  const { value } = at;
  if (value === true || value === 1) return true;
  if (value === false || value === 0) return false;
  return fail(at, `expected 0 or 1, found ${describeValue(value)}`);
}

function ifname(at: Cursor): string {
  const name = string(at);
  // dev_valid_name: what the kernel takes as a device name.
  if (name.length > 15 || !/^[^/:\s]+$/.test(name) || name === '.' || name === '..') {
    fail(at, `${JSON.stringify(name)} is not a device name: at most 15 characters, no '/', ':' or blanks`);
  }
  return name;
}

const rpFilter = (at: Cursor) => integer(0, 2)(at) as 0 | 1 | 2;

function decodeDevice(
  at: Cursor,
  sysctls: Pick<Device, 'rpFilter' | 'routeLocalnet' | 'forwarding'>,
): Device {
  refuseUnknownFields(at, ['name', 'addresses', 'rpFilter', 'routeLocalnet', 'forwarding', 'acceptLocal']);
  return {
    ...DEFAULT_DEVICE_SYSCTLS,
    name: required(ifname)(field(at, 'name')),
    addresses: list(addressText(parseInterfaceAddress))(field(at, 'addresses')),
    // The kernel takes the larger of the device's value and that of `all`.
    rpFilter: Math.max(sysctls.rpFilter, withDefault(rpFilter, 0)(field(at, 'rpFilter'))) as 0 | 1 | 2,
    routeLocalnet: withDefault(toggle, false)(field(at, 'routeLocalnet')) || sysctls.routeLocalnet,
    forwarding: withDefault(toggle, sysctls.forwarding)(field(at, 'forwarding')),
    acceptLocal: withDefault(toggle, false)(field(at, 'acceptLocal')),
  };
}

const EVERYWHERE_V4: IpPrefix = { address: 0, length: 0 };
const EVERYWHERE_V6: IpPrefix = { address: ipv6(0, 0, 0, 0), length: 0 };

/** `default` means the family of the gateway, or both when there is none. */
function destinations(at: Cursor, gateway: IpAddress | undefined): IpPrefix[] {
  if (at.value !== 'default') return [required(addressText(parseIpPrefix))(at)];
  if (gateway === undefined) return [EVERYWHERE_V4, EVERYWHERE_V6];
  return [familyOf(gateway) === 'ipv4' ? EVERYWHERE_V4 : EVERYWHERE_V6];
}

const ROUTE_TYPES: readonly RouteType[] = ['unicast', 'unreachable', 'prohibit', 'blackhole', 'throw'];

function routeType(at: Cursor): RouteType {
  const word = string(at);
  const type = ROUTE_TYPES.find((candidate) => candidate === word);
  return type ?? fail(at, `${JSON.stringify(word)} is not one of ${ROUTE_TYPES.join(', ')}`);
}

function decodeRoutes(at: Cursor, devices: readonly Device[]): Route[] {
  refuseUnknownFields(at, ['dst', 'via', 'dev', 'src', 'metric', 'type']);
  const gateway = optional(ipAddress)(field(at, 'via'));
  const src = optional(ipAddress)(field(at, 'src'));
  const type = withDefault(routeType, 'unicast')(field(at, 'type'));
  const dev = field(at, 'dev');
  const device = type === 'unicast' ? required(ifname)(dev) : withDefault(ifname, '')(dev);
  if (type === 'unicast' && device !== 'lo' && !devices.some(({ name }) => name === device)) {
    fail(
      dev,
      `there is no interface ${device}; expected one of ${devices.map(({ name }) => name).join(', ')}`,
    );
  }
  const metric = withDefault(integer(0, 0xffffffff), 0)(field(at, 'metric'));
  return destinations(field(at, 'dst'), gateway).map((prefix) => {
    if (gateway !== undefined && familyOf(gateway) !== familyOf(prefix.address)) {
      fail(field(at, 'via'), 'the gateway is of another address family than dst');
    }
    return {
      type,
      prefix,
      device,
      metric,
      ...(gateway === undefined ? {} : { gateway }),
      ...(src === undefined ? {} : { src }),
    };
  });
}

/** Reads the YAML of one host. `file` is its name in error messages. Throws InputError. */
export function decodeHostSpec(text: string, file: string): HostSpec {
  const at = rootCursor(parsePlainObject(text, file, 'host description'));
  refuseUnknownFields(at, FIELDS);
  const sysctls = {
    rpFilter: withDefault(rpFilter, 0)(field(at, 'rpFilter')),
    routeLocalnet: withDefault(toggle, false)(field(at, 'routeLocalnet')),
    forwarding: withDefault(toggle, true)(field(at, 'ipForward')),
  };
  const seen = new Set<string>();
  const devices = list((device) => {
    const decoded = decodeDevice(device, sysctls);
    if (seen.has(decoded.name)) fail(device, `a second interface ${decoded.name}`);
    seen.add(decoded.name);
    return decoded;
  })(field(at, 'interfaces'));
  const conntrackMax = optional(integer(0, 0x7fffffff))(field(at, 'conntrackMax'));
  const setsFile = optional(string)(field(at, 'sets'));
  return {
    devices,
    routes: list((route) => decodeRoutes(route, devices))(field(at, 'routes')).flat(),
    tcpLoose: withDefault(toggle, true)(field(at, 'tcpLoose')),
    tcpBeLiberal: withDefault(toggle, false)(field(at, 'tcpBeLiberal')),
    ...(conntrackMax === undefined ? {} : { conntrackMax }),
    ...(setsFile === undefined ? {} : { setsFile }),
  };
}
