/** Decodes a Topology. */

import type { NetworkBackend } from '../cni/networks/network.ts';
import type { AddressRange } from '../kube/controllers/load-balancer.ts';
import { networkText } from '../kube/decode/addresses.ts';
import { type Cursor, elements, fail, field } from '../kube/decode/cursor.ts';
import {
  boolean,
  defined,
  integer,
  list,
  oneOf,
  optional,
  refuseDuplicates,
  required,
  string,
  text,
  withDefault,
} from '../kube/decode/decoders.ts';
import { dns1123Subdomain } from '../kube/decode/names.ts';
import { refuseUnknownFields } from '../kube/decode/strict.ts';
import { originWithin } from '../kube/manifest/manifest.ts';
import {
  AddressError,
  addressBits,
  addToAddress,
  compareAddress,
  familyOf,
  type IpAddress,
  tryParseIpAddress,
} from '../wire/ip-address.ts';
import {
  type InterfaceAddress,
  type IpPrefix,
  lastAddress,
  parseInterfaceAddress,
  parseIpPrefix,
  prefixContains,
} from '../wire/ip-prefix.ts';
import {
  CNI_PLUGINS,
  type CniPlugin,
  DEFAULT_TOPOLOGY,
  type OutsideHost,
  type Topology,
} from './topology.ts';
import { linkSettings, mtu } from './topology-decode-links.ts';
import { nodeSettings, sysctls } from './topology-decode-nodes.ts';

export const TOPOLOGY_API_VERSION = 'kubewire.dev/v1alpha1';

const FIELDS = [
  'apiVersion',
  'kind',
  'metadata',
  'nodeNetwork',
  'cni',
  'devices',
  'sysctls',
  'nodes',
  'hosts',
  'links',
  'loadBalancer',
  'serviceSubnets',
  'podSubnets',
  'serviceNodePortRange',
];

/** At most this long, as IFNAMSIZ has it. */
const MAX_DEVICE_NAME = 15;

function deviceName(fallback: string) {
  const problem = (name: string) =>
    name.length <= MAX_DEVICE_NAME && /^[^\s/:]+$/.test(name)
      ? undefined
      : `${JSON.stringify(name)} is not a device name (at most ${MAX_DEVICE_NAME} characters, no blanks, '/' or ':')`;
  return withDefault(text(problem), fallback);
}

function network(at: Cursor): IpPrefix {
  return parseIpPrefix(networkText(at));
}

/** Networks, at most one of each family. */
function networks(at: Cursor): IpPrefix[] {
  const prefixes = list(network)(at);
  refuseDuplicates(elements(at), (each) => familyOf(network(each).address), 'a network of family');
  return prefixes;
}

function address(at: Cursor): IpAddress {
  const value = string(at);
  return tryParseIpAddress(value) ?? fail(at, `${JSON.stringify(value)} is not an IP address`);
}

/** Addresses, at most one of each family. */
function gateways(at: Cursor): IpAddress[] {
  const addresses = list(address)(at);
  refuseDuplicates(elements(at), (each) => familyOf(address(each)), 'a gateway of family');
  return addresses;
}

function nodeNetwork(at: Cursor): Topology['nodeNetwork'] {
  refuseUnknownFields(at, ['subnets', 'gateways', 'mtu']);
  const subnetsAt = field(at, 'subnets');
  const gatewaysAt = field(at, 'gateways');
  const subnets = subnetsAt.value === undefined ? DEFAULT_TOPOLOGY.nodeNetwork.subnets : networks(subnetsAt);
  if (subnets.length === 0) fail(subnetsAt, 'expected at least one network');
  const given = gateways(gatewaysAt);
  for (const [index, gateway] of given.entries()) {
    if (!subnets.some((subnet) => prefixContains(subnet, gateway))) {
      fail(elements(gatewaysAt)[index] ?? gatewaysAt, 'is in none of the subnets');
    }
  }
  const all = subnets.map(
    (subnet) => given.find((each) => prefixContains(subnet, each)) ?? addToAddress(subnet.address, 1),
  );
  return {
    subnets,
    gateways: all,
    mtu: withDefault(mtu, DEFAULT_TOPOLOGY.nodeNetwork.mtu)(field(at, 'mtu')),
  };
}

/** An address without a length is on the node network when that contains it, else alone on its link. */
function hostAddress(at: Cursor, subnets: readonly IpPrefix[]): InterfaceAddress {
  const value = string(at);
  try {
    const parsed = parseInterfaceAddress(value);
    const bare = !value.includes('/') && parsed.length === addressBits(familyOf(parsed.address));
    const subnet = bare ? subnets.find((each) => prefixContains(each, parsed.address)) : undefined;
    return subnet === undefined ? parsed : { address: parsed.address, length: subnet.length };
  } catch (error) {
    if (error instanceof AddressError) return fail(at, error.message);
    throw error;
  }
}

function outsideHost(at: Cursor, subnets: readonly IpPrefix[]): OutsideHost {
  refuseUnknownFields(at, ['name', 'addresses', 'gateways']);
  const addressesAt = field(at, 'addresses');
  const addresses = list((each) => hostAddress(each, subnets))(addressesAt);
  if (addresses.length === 0) fail(addressesAt, 'expected at least one address');
  return {
    name: required(text(dns1123Subdomain))(field(at, 'name')),
    addresses,
    gateways: gateways(field(at, 'gateways')),
    origin: originWithin(at.manifest.origin, ['hosts', at.key]),
  };
}

/** `192.0.2.10-192.0.2.50`, `192.0.2.128/28` or one address. */
function addressRange(at: Cursor): AddressRange {
  const value = string(at);
  if (value.includes('/')) {
    const prefix = network(at);
    return { first: prefix.address, last: lastAddress(prefix) };
  }
  if (!value.includes('-')) return { first: address(at), last: address(at) };
  const [first, last, more] = value.split('-').map((end) => address({ ...at, value: end.trim() }));
  if (first === undefined || last === undefined || more !== undefined) return fail(at, 'expected FIRST-LAST');
  if (familyOf(first) !== familyOf(last)) fail(at, 'the two ends are of different IP families');
  if (compareAddress(first, last) > 0) fail(at, 'the last address comes before the first');
  return { first, last };
}

const portNumber = integer(1, 65535);

function nodePortRange(at: Cursor): Topology['nodePortRange'] {
  if (at.value === undefined) return DEFAULT_TOPOLOGY.nodePortRange;
  const match = /^(\d+)-(\d+)$/.exec(string(at));
  if (match === null) return fail(at, 'expected a range such as 30000-32767');
  const [first, last] = [Number(match[1]), Number(match[2])].map((value) => portNumber({ ...at, value }));
  if (first === undefined || last === undefined || first > last) return fail(at, 'the range is empty');
  return { first, last };
}

/** How packets may travel between nodes, by plugin. */
const BACKENDS: Readonly<Record<CniPlugin, readonly NetworkBackend[]>> = {
  kindnet: [],
  ptp: [],
  flannel: ['vxlan', 'host-gw'],
  calico: ['ipip', 'ipip-cross-subnet', 'none'],
};

function backend(at: Cursor, plugin: CniPlugin): NetworkBackend {
  const words = BACKENDS[plugin];
  return words.length === 0 ? fail(at, `${plugin} has no choice of backends`) : oneOf(words)(at);
}

function cniChoice(at: Cursor): Topology['cni'] {
  refuseUnknownFields(at, ['plugin', 'mtu', 'hairpinMode', 'backend', 'masquerade']);
  const plugin = withDefault(oneOf(CNI_PLUGINS), DEFAULT_TOPOLOGY.cni.plugin)(field(at, 'plugin'));
  return defined<Topology['cni']>({
    plugin,
    mtu: optional(mtu)(field(at, 'mtu')),
    hairpinMode: optional(boolean)(field(at, 'hairpinMode')),
    backend: optional((here) => backend(here, plugin))(field(at, 'backend')),
    masquerade: optional(boolean)(field(at, 'masquerade')),
  });
}

/** Decodes a Topology object. Throws InputError for unknown fields and bad values. */
export function decodeTopology(at: Cursor): Topology {
  refuseUnknownFields(at, FIELDS);
  const network_ = nodeNetwork(field(at, 'nodeNetwork'));
  const devices = field(at, 'devices');
  const loadBalancer = field(at, 'loadBalancer');
  const hosts = field(at, 'hosts');
  const nodes = field(at, 'nodes');
  const links = field(at, 'links');
  const defaults = DEFAULT_TOPOLOGY;
  refuseUnknownFields(devices, ['uplink', 'podPrefix']);
  refuseUnknownFields(loadBalancer, ['pool']);
  refuseDuplicates(elements(nodes), (node) => field(node, 'name').value, 'the node name');
  refuseDuplicates(elements(hosts), (host) => field(host, 'name').value, 'the host name');
  refuseDuplicates(elements(links), (link) => field(link, 'at').value, 'the link at');
  return {
    nodeNetwork: network_,
    cni: cniChoice(field(at, 'cni')),
    devices: {
      uplink: deviceName(defaults.devices.uplink)(field(devices, 'uplink')),
      podPrefix: deviceName(defaults.devices.podPrefix)(field(devices, 'podPrefix')),
    },
    sysctls: sysctls(field(at, 'sysctls')),
    nodes: new Map(list(nodeSettings)(nodes)),
    hosts: elements(hosts).map((host) => outsideHost(host, network_.subnets)),
    links: list(linkSettings)(links),
    loadBalancerPool: list(addressRange)(field(loadBalancer, 'pool')),
    serviceSubnets: networks(field(at, 'serviceSubnets')),
    podSubnets: networks(field(at, 'podSubnets')),
    nodePortRange: nodePortRange(field(at, 'serviceNodePortRange')),
  };
}
