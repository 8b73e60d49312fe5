/** Ports of a node that lead to its pods (hostPort), as the portmap plugin behind the cluster network makes them. */

import { sha1Hex } from '../../cni/hash-names.ts';
import { CniHost, type PortMapping } from '../../cni/plugins/plugin.ts';
import { portmap } from '../../cni/plugins/portmap.ts';
import { EMPTY_RESULT } from '../../cni/plugins/result.ts';
import type { Namespace } from '../../netstack/namespace.ts';
import { tryParseIpAddress } from '../../wire/ip-address.ts';
import { hostPrefix } from '../../wire/ip-prefix.ts';
import { NO_MAC } from '../../wire/mac.ts';
import type { NodePlan } from './plan-nodes.ts';
import { POD_DEVICE } from './plan-pods.ts';
import type { NetworkPod } from './pod-endpoints.ts';

/** What the conflists of the cluster networks say of it: its defaults. */
const CONFIGURATION = {
  type: 'portmap',
  snat: true,
  masqAll: false,
  markMasqBit: 13,
  conditionsV4: [],
  conditionsV6: [],
} as const;

const PROTOCOLS = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' } as const;

function mappingsOf({ ports }: NetworkPod): PortMapping[] {
  return ports.flatMap(({ containerPort, protocol, hostPort, hostIP }) => {
    if (hostPort === undefined) return [];
    const address = hostIP === undefined ? undefined : tryParseIpAddress(hostIP);
    const mapping = { hostPort, containerPort, protocol: PROTOCOLS[protocol] };
    return [address === undefined ? mapping : { ...mapping, hostIP: address }];
  });
}

/** Maps the host ports of the node's guests, which are attached to `namespace` already. */
export function mapHostPorts(namespace: Namespace, { guests, network, rulesWith }: NodePlan): void {
  const host = new CniHost(namespace);
  const mapped = guests.filter(({ ports }) => ports.some(({ hostPort }) => hostPort !== undefined));
  if (mapped.length === 0) return;
  const { name }: { name: string } = JSON.parse(network().conflist);
  for (const pod of mapped) {
    const path = `/var/run/netns/${pod.name}`;
    portmap.add(CONFIGURATION, {
      host,
      name,
      containerId: sha1Hex(pod.label),
      ifName: POD_DEVICE,
      runtimeConfig: { portMappings: mappingsOf(pod) },
      prevResult: {
        ...EMPTY_RESULT,
        interfaces: [{ name: POD_DEVICE, mac: NO_MAC, sandbox: path }],
        ips: pod.addresses.map((address) => ({ address: hostPrefix(address), interface: 0 })),
      },
    });
  }
  namespace.setRules(() => rulesWith(host.rules));
}
