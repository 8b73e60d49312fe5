/**
 * A network like flannel's with the VXLAN backend (pkg/backend/vxlan, pkg/trafficmngr/iptables) and the plugin
 * it delegates to: pods on the bridge cni0, a VXLAN device a family whose neighbours and forwarding entries are
 * all permanent, one of each for every other node.
 *
 *   pod eth0 10.244.1.5/24 ── veth… ══ cni0 10.244.1.1/24 ── node ── flannel.1 10.244.1.0/32 ── 10.244.2.0/24
 *                                                                      via 10.244.2.0 onlink
 *
 * Every remote node's tunnel end has the first address of that node's pod network, and a MAC address that the
 * node announces; here it follows from the node's name.
 */
import { familyOf, type IpFamily } from '../../wire/ip-address.ts';
import { formatIpPrefix, hostPrefix, prefixContains, prefixOf } from '../../wire/ip-prefix.ts';
import { localMac, type MacAddress } from '../../wire/mac.ts';
import { conflistText, rangesOf } from './conflist.ts';
import { forwardingSysctls } from './forwarding.ts';
import type {
  NetworkInput,
  NodeNetworkPlan,
  PlannedFdbEntry,
  PlannedInterface,
  PlannedNeighbour,
  PlannedRoute,
} from './network.ts';
import { gatewayAddress, nodeAddress, ofFamily, podFamilies } from './prefixes.ts';
import { type RestoreTable, restoreText } from './restore-text.ts';

export const FLANNEL_BRIDGE = 'cni0';
export const POSTROUTING_CHAIN = 'FLANNEL-POSTRTG';
const FORWARD_CHAIN = 'FLANNEL-FWD';
/** The kernel's own VXLAN port, which flannel keeps on Linux. */
const VXLAN_PORT = 8472;
/** What flannel takes off in both families (encapOverhead). */
const OVERHEAD = 50;
/** What the headers really take in each family; the kernel allows no larger MTU on the device. */
const HEADROOM: Readonly<Record<IpFamily, number>> = { ipv4: 50, ipv6: 70 };
const MULTICAST: Readonly<Record<IpFamily, string>> = { ipv4: '224.0.0.0/4', ipv6: 'ff00::/8' };
/** flannel refuses to start without br_netfilter, and the module's defaults are these. */
const BRIDGE_NETFILTER = {
  'net.bridge.bridge-nf-call-iptables': '1',
  'net.bridge.bridge-nf-call-ip6tables': '1',
} as const;
/** kube-proxy's masquerade mark. */
const KUBE_PROXY_MARK = '0x4000/0x4000';

/** `flannel.1`, and its IPv6 twin `flannel-v6.1`. */
function deviceName(family: IpFamily, vni: number): string {
  return family === 'ipv4' ? `flannel.${vni}` : `flannel-v6.${vni}`;
}

/** A locally administered address that follows from what it is for (FNV-1a and a mix: cheap, as every node asks about all). */
function macFor(purpose: string): MacAddress {
  let high = 0x811c9dc5;
  let low = 0x01000193;
  for (let at = 0; at < purpose.length; at++) {
    high = Math.imul(high ^ purpose.charCodeAt(at), 0x01000193);
    low = Math.imul(low ^ high, 0x85ebca6b) ^ (low >>> 13);
  }
  return localMac((high >>> 16) & 0xffff, low);
}

/** The MAC address of the tunnel end of the node called `node`. */
export function vtepMac(node: string, family: IpFamily): MacAddress {
  return macFor(`${node} ${family}`);
}

/** Whether `node`'s neighbours on the link are reached without a tunnel, `other` being one. */
function isDirect(
  { options = {}, uplink }: NetworkInput,
  other: NetworkInput['node'],
  family: IpFamily,
): boolean {
  if (options.backend === 'host-gw') return true;
  if (options.directRouting !== true) return false;
  const address = nodeAddress(other, family);
  return (
    address !== undefined &&
    uplink.addresses.some((own) => prefixContains(prefixOf(own.address, own.length), address))
  );
}

interface Remote {
  readonly routes: PlannedRoute[];
  readonly neighbours: PlannedNeighbour[];
  readonly fdb: PlannedFdbEntry[];
}

/** What the lease of every other node adds (handleSubnetEvents). */
function remotes(input: NetworkInput): Remote {
  const { node, nodes, uplink, options = {} } = input;
  const all: Remote = { routes: [], neighbours: [], fdb: [] };
  for (const other of nodes) {
    if (other.name === node.name) continue;
    for (const prefix of other.podCIDRs) {
      const family = familyOf(prefix.address);
      const remote = nodeAddress(other, family);
      if (remote === undefined || ofFamily(node.podCIDRs, family) === undefined) continue;
      if (isDirect(input, other, family)) {
        all.routes.push({ type: 'unicast', prefix, device: uplink.name, gateway: remote });
        continue;
      }
      const device = deviceName(family, options.vni ?? 1);
      const mac = vtepMac(other.name, family);
      all.routes.push({ type: 'unicast', prefix, device, gateway: prefix.address, onlink: true });
      all.neighbours.push({ device, address: prefix.address, mac });
      all.fdb.push({ device, mac, remote });
    }
  }
  return all;
}

/** The tunnel devices; none where packets are routed as they are. */
function tunnels({ node, uplink, options = {} }: NetworkInput): PlannedInterface[] {
  if (options.backend === 'host-gw') return [];
  const vni = options.vni ?? 1;
  return podFamilies(node).flatMap((family): PlannedInterface[] => {
    const local = nodeAddress(node, family);
    if (local === undefined) return [];
    const mtu = Math.min(options.mtu ?? uplink.mtu - OVERHEAD, uplink.mtu - HEADROOM[family]);
    const name = deviceName(family, vni);
    const mac = vtepMac(node.name, family);
    return [
      { kind: 'vxlan', name, mac, mtu, vni, port: VXLAN_PORT, local, device: uplink.name, learning: false },
    ];
  });
}

function masqueradeTable(network: string, own: string, family: IpFamily): RestoreTable {
  const comment = '-m comment --comment "flanneld masq"';
  const rule = (condition: string, target: string) =>
    `-A ${POSTROUTING_CHAIN} ${condition} ${comment} -j ${target}`;
  return {
    table: 'nat',
    chains: [POSTROUTING_CHAIN],
    rules: [
      `-A POSTROUTING ${comment} -j ${POSTROUTING_CHAIN}`,
      rule(`-m mark --mark ${KUBE_PROXY_MARK}`, 'RETURN'),
      rule(`-s ${own} -d ${network}`, 'RETURN'),
      rule(`-s ${network} -d ${own}`, 'RETURN'),
      rule(`! -s ${network} -d ${own}`, 'RETURN'),
      rule(`-s ${network} ! -d ${MULTICAST[family]}`, 'MASQUERADE --random-fully'),
      rule(`! -s ${network} -d ${network}`, 'MASQUERADE --random-fully'),
    ],
  };
}

function forwardTable(network: string): RestoreTable {
  const comment = '-m comment --comment "flanneld forward"';
  return {
    table: 'filter',
    chains: [FORWARD_CHAIN],
    rules: [
      `-A FORWARD ${comment} -j ${FORWARD_CHAIN}`,
      `-A ${FORWARD_CHAIN} -s ${network} ${comment} -j ACCEPT`,
      `-A ${FORWARD_CHAIN} -d ${network} ${comment} -j ACCEPT`,
    ],
  };
}

function rulesIn(family: IpFamily, { node, podSubnets, options = {} }: NetworkInput): string {
  const network = ofFamily(podSubnets, family);
  const own = ofFamily(node.podCIDRs, family);
  if (network === undefined || own === undefined) return '';
  const text = formatIpPrefix(network);
  const masquerade = options.masquerade === false ? [] : [masqueradeTable(text, formatIpPrefix(own), family)];
  return restoreText([forwardTable(text), ...masquerade]);
}

/** What the flannel plugin hands to the bridge plugin. */
function bridgeConfiguration({ node, podSubnets, options = {} }: NetworkInput, mtu: number): object {
  return {
    type: 'bridge',
    bridge: FLANNEL_BRIDGE,
    isGateway: true,
    isDefaultGateway: true,
    ipMasq: false,
    hairpinMode: options.hairpinMode ?? true,
    mtu,
    ipam: {
      type: 'host-local',
      ranges: rangesOf(node.podCIDRs),
      routes: podSubnets.map((prefix) => ({ dst: formatIpPrefix(prefix) })),
    },
  };
}

/** What flannel gives `input.node`. */
export function planFlannel(input: NetworkInput): NodeNetworkPlan {
  const { node, uplink, podSubnets, options = {} } = input;
  const vni = options.vni ?? 1;
  const podMtu = options.mtu ?? uplink.mtu - (options.backend === 'host-gw' ? 0 : OVERHEAD);
  const devices = tunnels(input);
  const families = podFamilies(node);
  const tunnelAddresses = node.podCIDRs.flatMap(({ address }) => {
    const device = deviceName(familyOf(address), vni);
    if (!devices.some(({ name }) => name === device)) return [];
    return [{ device, address: hostPrefix(address) }];
  });
  return {
    network: 'flannel',
    node: node.name,
    interfaces: [
      ...devices,
      { kind: 'bridge', name: FLANNEL_BRIDGE, mac: macFor(`${node.name} ${FLANNEL_BRIDGE}`), mtu: podMtu },
    ],
    addresses: [
      ...tunnelAddresses,
      ...node.podCIDRs.map((prefix) => ({ device: FLANNEL_BRIDGE, address: gatewayAddress(prefix) })),
    ],
    ...remotes(input),
    sysctls: { ...forwardingSysctls(families), ...BRIDGE_NETFILTER },
    rules: { ipv4: rulesIn('ipv4', input), ipv6: rulesIn('ipv6', input) },
    sets: '',
    conflist: conflistText('cbr0', '0.3.1', bridgeConfiguration(input, podMtu)),
    podCIDRs: node.podCIDRs,
    podMtu,
    pods: {
      kind: 'bridge',
      bridge: FLANNEL_BRIDGE,
      hairpinMode: options.hairpinMode ?? true,
      routes: podSubnets.filter(({ address }) => families.includes(familyOf(address))),
    },
  };
}
