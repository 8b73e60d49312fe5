/** Places and addresses of pods. */
import { PodAddresses } from '../cni/ipam/pod-addresses.ts';
import { SubnetIndex } from '../cni/ipam/subnet-index.ts';
import { nodeIps } from '../kube/controllers/node-addresses.ts';
import { isTerminal, schedule } from '../kube/controllers/scheduler.ts';
import type { EndpointSlice, Node, Pod } from '../kube/objects.ts';
import { describeObject, describeOrigin, refusal } from '../kube/refusal.ts';
import { tryParseSloppyIp } from '../kube/sloppy-address.ts';
import { familyOf, formatIpAddress, type IpAddress } from '../wire/ip-address.ts';
import type { IpPrefix } from '../wire/ip-prefix.ts';
import type { ClusterNodes } from './derive-nodes.ts';

/** A pod in the network of its own, not its node's, that holds the addresses it has. */
const holdsAddresses = (pod: Pod) => !pod.spec.hostNetwork && !isTerminal(pod);

function addressesOf(texts: readonly string[]): IpAddress[] {
  return texts.map(tryParseSloppyIp).filter((address) => address !== undefined);
}

const podKey = (namespace: string, name: string) => `${namespace}/${name}`;

/** A pod without podIPs that an endpoint refers to has that endpoint's addresses. */
function adoptEndpointAddresses(pods: readonly Pod[], slices: readonly EndpointSlice[]): Pod[] {
  const known = new Map<string, string[]>();
  for (const { metadata, endpoints } of slices) {
    for (const { addresses, targetRef } of endpoints) {
      if (targetRef?.kind !== 'Pod') continue;
      const key = podKey(targetRef.namespace || metadata.namespace, targetRef.name);
      const ips = known.get(key) ?? [];
      known.set(key, ips);
      for (const address of addresses) if (!ips.includes(address)) ips.push(address);
    }
  }
  return pods.map((pod) => {
    const podIPs = known.get(podKey(pod.metadata.namespace, pod.metadata.name));
    if (podIPs === undefined || pod.status.podIPs.length > 0 || !holdsAddresses(pod)) return pod;
    return { ...pod, status: { ...pod.status, podIPs } };
  });
}

/** Throws InputError when two pods have one address. */
function refuseSharedAddresses(pods: readonly Pod[]): void {
  const owners = new Map<string, Pod>();
  for (const pod of pods.filter(holdsAddresses)) {
    for (const [index, address] of addressesOf(pod.status.podIPs).entries()) {
      const text = formatIpAddress(address);
      const other = owners.get(text);
      if (other !== undefined && other !== pod) {
        const where = `${describeObject(other)} (${describeOrigin(other.origin)})`;
        throw refusal(pod, ['status', 'podIPs', index], `${text} is the address of ${where} too`);
      }
      owners.set(text, pod);
    }
  }
}

type Homes = SubnetIndex<string>;

function homesOf(podCIDRs: ReadonlyMap<string, readonly IpPrefix[]>): Homes {
  return new SubnetIndex(
    [...podCIDRs].flatMap(([nodeName, prefixes]) => prefixes.map((prefix) => [prefix, nodeName] as const)),
  );
}

/** The node whose pod network holds the pod's address. */
function homeOf(pod: Pod, homes: Homes): string | undefined {
  const [address] = addressesOf(pod.status.podIPs);
  return address === undefined || pod.spec.hostNetwork ? undefined : homes.find(address);
}

/** A node's address of each family, as its host-network pods have it. */
function hostIps(node: Node | undefined): string[] {
  if (node === undefined) return [];
  const byFamily = new Map<string, IpAddress>();
  for (const ip of nodeIps(node)) if (!byFamily.has(familyOf(ip))) byFamily.set(familyOf(ip), ip);
  return [...byFamily.values()].map(formatIpAddress);
}

/** The addresses that are not to be handed out: those of pods, and those of endpoints somebody wrote down. */
function takenAddresses(pods: readonly Pod[], slices: readonly EndpointSlice[]): IpAddress[] {
  const ofPods = pods.filter(holdsAddresses).flatMap((pod) => addressesOf(pod.status.podIPs));
  const ofEndpoints = slices.flatMap(({ endpoints }) =>
    endpoints.flatMap(({ addresses }) => addressesOf(addresses)),
  );
  return [...ofPods, ...ofEndpoints];
}

/** Pods that run and are not said to be otherwise are Running and ready. */
function withStatus(pod: Pod): Pod {
  const phase = pod.status.phase ?? 'Running';
  return { ...pod, status: { ...pod.status, phase, ready: pod.status.ready ?? phase === 'Running' } };
}

/**
 * `pods` with nodes, addresses and a status. Given addresses stay and are never handed out again; a pod that
 * no node may run stays Pending, without an address. Throws InputError when two pods share an address, a node
 * is unknown, or a node's pod network is exhausted.
 */
export function placePods(
  pods: readonly Pod[],
  { nodes, podCIDRs }: ClusterNodes,
  givenSlices: readonly EndpointSlice[],
): Pod[] {
  const addressed = adoptEndpointAddresses(pods, givenSlices);
  refuseSharedAddresses(addressed);
  const homes = homesOf(podCIDRs);
  const scheduled = schedule(addressed, nodes, (pod) => homeOf(pod, homes));
  const pools = new Map(
    [...podCIDRs].map(([name, subnets]) => [name, new PodAddresses(name, subnets)] as const),
  );
  for (const address of takenAddresses(scheduled, givenSlices))
    pools.get(homes.find(address) ?? '')?.reserve(address);
  const byName = new Map(nodes.map((node) => [node.metadata.name, node] as const));
  return scheduled.map((pod) => {
    const { nodeName, hostNetwork } = pod.spec;
    if (nodeName === undefined || isTerminal(pod)) return pod;
    if (pod.status.podIPs.length > 0) return withStatus(pod);
    const podIPs = hostNetwork
      ? hostIps(byName.get(nodeName))
      : (pools.get(nodeName)?.allocate(pod.origin) ?? []).map(formatIpAddress);
    return withStatus({ ...pod, status: { ...pod.status, podIPs } });
  });
}
