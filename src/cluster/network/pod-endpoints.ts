/**
 * The pods of the emulated network: the cluster's Pods, and for endpoints that no Pod stands behind (a
 * cluster given by its EndpointSlices alone) a pod in their place.
 */
import { isTerminal } from '../../kube/controllers/scheduler.ts';
import type { ContainerPort, EndpointSlice, Pod } from '../../kube/objects.ts';
import { tryParseSloppyIp } from '../../kube/sloppy-address.ts';
import { familyOf, formatIpAddress, type IpAddress, tryParseIpAddress } from '../../wire/ip-address.ts';
import { prefixContains } from '../../wire/ip-prefix.ts';
import type { ClusterObjects } from '../derive.ts';

export interface NetworkPod {
  /** `pod/NAMESPACE/NAME`. */
  readonly label: string;
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly addresses: readonly IpAddress[];
  /** What its containers declare; empty: it listens on every port. */
  readonly ports: readonly ContainerPort[];
  readonly hostNetwork: boolean;
}

function podAddresses(pod: Pod): IpAddress[] {
  return pod.status.podIPs.flatMap((text) => tryParseIpAddress(text) ?? []);
}

function fromPod(pod: Pod): NetworkPod | undefined {
  const { namespace, name } = pod.metadata;
  const { nodeName, ports, hostNetwork } = pod.spec;
  // A pod that has ended has no network any more.
  if (nodeName === undefined || isTerminal(pod)) return undefined;
  return {
    label: `pod/${namespace}/${name}`,
    namespace,
    name,
    node: nodeName,
    addresses: podAddresses(pod),
    ports,
    hostNetwork,
  };
}

/** The node in whose pod network `address` lies. */
function nodeOf(address: IpAddress, { podCIDRs }: ClusterObjects): string | undefined {
  for (const [node, prefixes] of podCIDRs) {
    if (prefixes.some((prefix) => prefixContains(prefix, address))) return node;
  }
  return undefined;
}

function sliceContainerPorts(slice: EndpointSlice): ContainerPort[] {
  return slice.ports.flatMap(({ port, protocol }) =>
    port === undefined ? [] : [{ containerPort: port, protocol }],
  );
}

/** Every pod that has a node and an address, Pods first, in the order of the input. */
export function networkPods(cluster: ClusterObjects): NetworkPod[] {
  const pods = cluster.pods.flatMap((pod) => fromPod(pod) ?? []);
  const known = new Set(pods.flatMap(({ addresses }) => addresses.map(formatIpAddress)));
  const standIns = new Map<string, NetworkPod>();
  for (const slice of cluster.endpointSlices) {
    for (const { addresses, nodeName, targetRef } of slice.endpoints) {
      const address = tryParseSloppyIp(addresses[0] ?? '');
      if (address === undefined || known.has(formatIpAddress(address))) continue;
      const text = formatIpAddress(address);
      const node = nodeName ?? nodeOf(address, cluster);
      // An address on no node is somebody's outside the cluster.
      if (node === undefined) continue;
      const { namespace } = slice.metadata;
      const name = targetRef?.name ?? text;
      const before = standIns.get(text);
      standIns.set(text, {
        label: `pod/${namespace}/${name}`,
        namespace,
        name,
        node,
        addresses: [address],
        ports: [...(before?.ports ?? []), ...sliceContainerPorts(slice)],
        hostNetwork: false,
      });
    }
  }
  return [...pods, ...standIns.values()];
}

/** The first address of `family` that `pod` has. */
export function podAddress(pod: NetworkPod, family: ReturnType<typeof familyOf>): IpAddress | undefined {
  return pod.addresses.find((address) => familyOf(address) === family);
}
