/**
 * A network like Calico's with its usual data plane (cni-plugin/pkg/dataplane/linux, felix, confd's BIRD): every
 * pod alone on its veth with a /32, the node answering for everything else there, routes learned by BGP to the
 * other nodes' blocks, through tunl0 or directly, and masquerading of what leaves the pools.
 *
 *   pod eth0 10.244.1.5/32 ── cali… (proxy ARP for 169.254.1.1) ── node ── tunl0 ── 10.244.2.0/24
 *                                                                    via 172.18.0.3 onlink
 *
 * A node's block is its pod network; tunl0 has its first address, which no pod gets. IPIP is IPv4's alone:
 * IPv6 is routed directly. Felix's chains for policies are not among the rules; NetworkPolicies are programmed
 * by the policy rules, as for every network.
 */
import { familyOf, type IpFamily, parseIpAddress } from '../../wire/ip-address.ts';
import { formatIpPrefix, hostPrefix, type IpPrefix, prefixContains, prefixOf } from '../../wire/ip-prefix.ts';
import { chainedHashes, sha1Hex } from '../hash-names.ts';
import { conflistText } from './conflist.ts';
import { forwardingSysctls } from './forwarding.ts';
import type { NetworkInput, NetworkNode, NodeNetworkPlan, PlannedRoute } from './network.ts';
import { nodeAddress, ofFamily, podFamilies } from './prefixes.ts';
import { type RestoreTable, restoreText } from './restore-text.ts';

export const IPIP_DEVICE = 'tunl0';
/** What a pod takes for its gateway: nobody's address, answered for by proxy ARP. */
export const CALICO_GATEWAY = parseIpAddress('169.254.1.1');
/** Every node's side of a pod's veth. */
export const CALICO_HOST_MAC = 0xeeeeeeeeeeee;
/** The link-local address that follows from it (RFC 4291 appendix A): a pod's gateway in IPv6. */
export const CALICO_GATEWAY_V6 = parseIpAddress('fe80::ecee:eeff:feee:eeee');
/** Where Felix masquerades what leaves the pools. */
export const NAT_OUTGOING_CHAIN = 'cali-nat-outgoing';
/** An IPv4 header. */
const IPIP_OVERHEAD = 20;

/** The node's side of the veth of a pod (libcalico-go, VethNameForWorkload). */
export function calicoDevice({
  namespace,
  name,
}: {
  readonly namespace: string;
  readonly name: string;
}): string {
  return `cali${sha1Hex(`${namespace}.${name}`).slice(0, 11)}`;
}

const usesIpip = ({ backend = 'ipip' }: { readonly backend?: string } = {}) =>
  backend === 'ipip' || backend === 'ipip-cross-subnet';

function isNeighbour({ uplink }: NetworkInput, other: NetworkNode, family: IpFamily): boolean {
  const address = nodeAddress(other, family);
  if (address === undefined) return false;
  return uplink.addresses.some((own) => prefixContains(prefixOf(own.address, own.length), address));
}

function routeTo(input: NetworkInput, other: NetworkNode, prefix: IpPrefix): PlannedRoute[] {
  const { node, uplink, options } = input;
  const family = familyOf(prefix.address);
  const gateway = nodeAddress(other, family);
  if (gateway === undefined || ofFamily(node.podCIDRs, family) === undefined) return [];
  const route = { type: 'unicast', prefix, gateway, protocol: 'bird' } as const;
  const crosses = options?.backend !== 'ipip-cross-subnet' || !isNeighbour(input, other, family);
  return family === 'ipv4' && usesIpip(options) && crosses
    ? [{ ...route, device: IPIP_DEVICE, onlink: true }]
    : [{ ...route, device: uplink.name }];
}

interface FelixRule {
  /** As Felix writes it. */
  readonly match?: string;
  readonly target: string;
}

/** A chain as Felix programs it: each rule labelled with the hash of itself and those before it. */
function felixRules(
  chain: string,
  rules: readonly FelixRule[],
  place = (_number: number) => `-A ${chain}`,
): string[] {
  const words = ({ match, target }: FelixRule) =>
    [...(match === undefined ? [] : [match]), '--jump', target].join(' ');
  const hashes = chainedHashes(
    chain,
    rules.map((rule) => `-A ${chain} HASH ${words(rule)}`),
  );
  return rules.map(
    (rule, index) => `${place(index + 1)} -m comment --comment "cali:${hashes[index]}" ${words(rule)}`,
  );
}

/** Rules in a built-in chain: before everybody else's (ChainInsertMode Insert). */
function felixInserts(chain: string, rules: readonly FelixRule[]): string[] {
  return felixRules(chain, rules, (number) => `-I ${chain} ${number}`);
}

function natTable(family: IpFamily, ipip: boolean, masquerade: boolean): RestoreTable {
  const prefix = family === 'ipv4' ? 'cali40' : 'cali60';
  const pools = `-m set --match-set ${prefix}masq-ipam-pools src -m set ! --match-set ${prefix}all-ipam-pools dst`;
  const wrongSource = '-m addrtype ! --src-type LOCAL --limit-iface-out -m addrtype --src-type LOCAL';
  const random = 'MASQUERADE --random-fully';
  const postrouting = [
    { target: 'cali-fip-snat' },
    { target: NAT_OUTGOING_CHAIN },
    ...(ipip ? [{ match: `--out-interface ${IPIP_DEVICE} ${wrongSource}`, target: random }] : []),
  ];
  return {
    table: 'nat',
    chains: [
      'cali-OUTPUT',
      'cali-POSTROUTING',
      'cali-PREROUTING',
      'cali-fip-dnat',
      'cali-fip-snat',
      NAT_OUTGOING_CHAIN,
    ],
    rules: [
      ...felixInserts('PREROUTING', [{ target: 'cali-PREROUTING' }]),
      ...felixInserts('OUTPUT', [{ target: 'cali-OUTPUT' }]),
      ...felixInserts('POSTROUTING', [{ target: 'cali-POSTROUTING' }]),
      ...felixRules('cali-OUTPUT', [{ target: 'cali-fip-dnat' }]),
      ...felixRules('cali-POSTROUTING', postrouting),
      ...felixRules('cali-PREROUTING', [{ target: 'cali-fip-dnat' }]),
      ...(masquerade ? felixRules(NAT_OUTGOING_CHAIN, [{ match: pools, target: random }]) : []),
    ],
  };
}

/** The sets of Felix's masquerade manager: pools that are masqueraded, and all of them. */
function poolSets(podSubnets: readonly IpPrefix[], masquerade: boolean): string {
  return podSubnets
    .map((pool) => {
      const [prefix, inet] = familyOf(pool.address) === 'ipv4' ? ['cali40', 'inet'] : ['cali60', 'inet6'];
      const text = formatIpPrefix(pool);
      const create = (name: string) =>
        `create ${prefix}${name} hash:net family ${inet} hashsize 1024 maxelem 1048576\n`;
      const add = (name: string) => `add ${prefix}${name} ${text}\n`;
      return [
        create('masq-ipam-pools'),
        ...(masquerade ? [add('masq-ipam-pools')] : []),
        create('all-ipam-pools'),
        add('all-ipam-pools'),
      ].join('');
    })
    .join('');
}

function configuration({ node }: NetworkInput, mtu: number): object {
  const subnets = podFamilies(node).map((family) => [
    { subnet: family === 'ipv4' ? 'usePodCidr' : 'usePodCidrIPv6' },
  ]);
  return {
    type: 'calico',
    datastore_type: 'kubernetes',
    nodename: node.name,
    mtu,
    ipam: { type: 'host-local', ranges: subnets },
    policy: { type: 'k8s' },
    kubernetes: { kubeconfig: '/etc/cni/net.d/calico-kubeconfig' },
  };
}

/** What Calico gives `input.node`. */
export function planCalico(input: NetworkInput): NodeNetworkPlan {
  const { node, nodes, podSubnets, uplink, options = {} } = input;
  const own = ofFamily(node.podCIDRs, 'ipv4');
  const ipip = usesIpip(options) && own !== undefined;
  const masquerade = options.masquerade !== false;
  const podMtu = options.mtu ?? uplink.mtu - (ipip ? IPIP_OVERHEAD : 0);
  const rules = (family: IpFamily) =>
    ofFamily(podSubnets, family) === undefined
      ? ''
      : restoreText([natTable(family, ipip && family === 'ipv4', masquerade)]);
  return {
    network: 'calico',
    node: node.name,
    interfaces: ipip ? [{ kind: 'ipip', name: IPIP_DEVICE, mtu: podMtu }] : [],
    addresses: ipip ? [{ device: IPIP_DEVICE, address: hostPrefix(own.address) }] : [],
    routes: [
      ...nodes
        .filter(({ name }) => name !== node.name)
        .flatMap((other) => other.podCIDRs.flatMap((prefix) => routeTo(input, other, prefix))),
      ...node.podCIDRs.map((prefix): PlannedRoute => {
        return { type: 'blackhole', prefix, device: '', protocol: 'bird' };
      }),
    ],
    neighbours: [],
    fdb: [],
    sysctls: forwardingSysctls(podFamilies(node)),
    rules: { ipv4: rules('ipv4'), ipv6: rules('ipv6') },
    sets: poolSets(podSubnets, masquerade),
    conflist: conflistText('k8s-pod-network', '0.3.1', configuration(input, podMtu)),
    podCIDRs: node.podCIDRs,
    podMtu,
    pods: { kind: 'proxy-arp' },
  };
}
