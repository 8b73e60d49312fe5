/**
 * A network like kind's (images/kindnetd): a veth for each pod, a route to every other node's pods through that
 * node, and masquerading of whatever leaves the pod networks.
 *
 *   pod eth0 10.244.1.5/24 ── veth… 10.244.1.1/32 ── node ── eth0 ── 10.244.2.0/24 via 172.18.0.3
 */
import { familyOf, type IpFamily } from '../../wire/ip-address.ts';
import { formatIpPrefix, type IpPrefix } from '../../wire/ip-prefix.ts';
import { conflistText, rangesOf } from './conflist.ts';
import { forwardingSysctls } from './forwarding.ts';
import type { NetworkInput, NodeNetworkPlan, PlannedRoute } from './network.ts';
import { everything, nodeAddress, ofFamily, podFamilies } from './prefixes.ts';
import { restoreText } from './restore-text.ts';

export const MASQ_CHAIN = 'KIND-MASQ-AGENT';

const COMMENT = {
  entry: `kind-masq-agent: ensure nat POSTROUTING directs all non-LOCAL destination traffic to our custom ${MASQ_CHAIN} chain`,
  inside: 'kind-masq-agent: local traffic is not subject to MASQUERADE',
  outside: 'kind-masq-agent: outbound traffic is subject to MASQUERADE (must be last in chain)',
} as const;

const comment = (text: string) => `-m comment --comment "${text}"`;

/** The rules of kind's masquerade agent: nothing inside `networks` is translated. */
export function masqAgentRules(networks: readonly IpPrefix[]): string {
  if (networks.length === 0) return '';
  return restoreText([
    {
      table: 'nat',
      chains: [MASQ_CHAIN],
      rules: [
        `-A POSTROUTING -m addrtype ! --dst-type LOCAL ${comment(COMMENT.entry)} -j ${MASQ_CHAIN}`,
        ...networks.map(
          (network) => `-A ${MASQ_CHAIN} -d ${formatIpPrefix(network)} ${comment(COMMENT.inside)} -j RETURN`,
        ),
        `-A ${MASQ_CHAIN} ${comment(COMMENT.outside)} -j MASQUERADE`,
      ],
    },
  ]);
}

/** A route to the pods of every other node through that node; none where the two share no family. */
export function routesToNodes(
  { node, nodes, uplink }: NetworkInput,
  families: readonly IpFamily[],
): PlannedRoute[] {
  return nodes.flatMap((other) => {
    if (other.name === node.name) return [];
    return other.podCIDRs.flatMap((prefix): PlannedRoute[] => {
      const family = familyOf(prefix.address);
      const gateway = families.includes(family) ? nodeAddress(other, family) : undefined;
      return gateway === undefined ? [] : [{ type: 'unicast', prefix, device: uplink.name, gateway }];
    });
  });
}

function ptpConfiguration(podCIDRs: readonly IpPrefix[], mtu: number): object {
  return {
    type: 'ptp',
    ipMasq: false,
    ipam: {
      type: 'host-local',
      dataDir: '/run/cni-ipam-state',
      routes: podCIDRs.map(({ address }) => ({ dst: formatIpPrefix(everything(familyOf(address))) })),
      ranges: rangesOf(podCIDRs),
    },
    mtu,
  };
}

/** What kindnetd gives `input.node`. */
export function planKindnet(input: NetworkInput): NodeNetworkPlan {
  const { node, podSubnets, uplink, options = {} } = input;
  const podMtu = options.mtu ?? uplink.mtu;
  const rules = (family: IpFamily) => {
    const inside = ofFamily(podSubnets, family);
    return options.masquerade === false || inside === undefined ? '' : masqAgentRules([inside]);
  };
  return {
    network: 'kindnet',
    node: node.name,
    interfaces: [],
    addresses: [],
    routes: routesToNodes(input, ['ipv4', 'ipv6']),
    neighbours: [],
    fdb: [],
    sysctls: forwardingSysctls(podFamilies(node)),
    rules: { ipv4: rules('ipv4'), ipv6: rules('ipv6') },
    sets: '',
    conflist: conflistText('kindnet', '0.3.1', ptpConfiguration(node.podCIDRs, podMtu)),
    podCIDRs: node.podCIDRs,
    podMtu,
    pods: { kind: 'ptp' },
  };
}
