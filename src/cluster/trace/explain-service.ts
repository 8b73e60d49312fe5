/** Why a Service did not serve: what in the API objects led to the rule, or to the closed port. */
import { matchesLabels } from '../../kube/label-selector.ts';
import type { Endpoint, EndpointSlice, Pod, Service } from '../../kube/objects.ts';
import { formatIpAddress, sameAddress } from '../../wire/ip-address.ts';
import type { Packet } from '../../wire/packet.ts';
import type { ClusterObjects } from '../derive.ts';
import type { NetworkPod } from '../network/pod-endpoints.ts';
import { nameOf, type ServiceHit, serviceWords, slicesOf } from './service-lookup.ts';

function selectorWords(selector: Readonly<Record<string, string>>): string {
  return Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

function selectedPods({ metadata, spec }: Service, { pods }: ClusterObjects): Pod[] {
  const { selector } = spec;
  if (selector === undefined) return [];
  return pods.filter(
    (pod) => pod.metadata.namespace === metadata.namespace && matchesLabels(selector, pod.metadata.labels),
  );
}

function isReady({ conditions }: Endpoint): boolean {
  return conditions.ready ?? true;
}

function plural(count: number, one: string, many: string): string {
  return count === 1 ? `1 ${one}` : `${count} ${many}`;
}

/** Why there is nothing behind the Service anywhere. */
function whyNowhere(hit: ServiceHit, cluster: ClusterObjects, slices: readonly EndpointSlice[]): string {
  const { service, port } = hit;
  const { selector } = service.spec;
  const endpoints = slices.flatMap((slice) => slice.endpoints);
  if (endpoints.length === 0) {
    if (selector === undefined) return 'it has no selector, and nobody wrote EndpointSlices for it';
    const pods = selectedPods(service, cluster);
    const words = selectorWords(selector);
    if (pods.length === 0)
      return `spec.selector ${words} matches no pod in namespace ${service.metadata.namespace}`;
    return `spec.selector ${words} matches ${plural(pods.length, 'pod', 'pods')}, but its EndpointSlices list none`;
  }
  const named = slices.some((slice) => slice.ports.some(({ name }) => (name ?? '') === (port?.name ?? '')));
  if (!named && port !== undefined) {
    const target =
      typeof port.targetPort === 'string' ? `targetPort "${port.targetPort}"` : `port "${port.name}"`;
    return `its EndpointSlices have no such port: no container of the selected pods has a port for ${target}`;
  }
  const ready = endpoints.filter(isReady).length;
  return `none of its ${plural(endpoints.length, 'endpoint', 'endpoints')} is usable (${ready} ready)`;
}

/** Why `hit` has no endpoints: nowhere, or (`node` given) none on that node under policy Local. */
export function explainNoEndpoints(
  hit: ServiceHit,
  cluster: ClusterObjects,
  node: string | undefined,
): string {
  const slices = slicesOf(hit.service, cluster);
  const who = serviceWords(hit);
  if (node === undefined) return `${who} has no endpoints: ${whyNowhere(hit, cluster, slices)}.`;
  const field = hit.field === 'clusterIP' ? 'internalTrafficPolicy' : 'externalTrafficPolicy';
  const elsewhere = new Set(
    slices.flatMap((slice) => slice.endpoints.filter(isReady)).flatMap(({ nodeName }) => nodeName ?? []),
  );
  const names = [...elsewhere].join(', ');
  const others = names === '' ? '' : ` (they are on ${names})`;
  return `${who} has spec.${field}: Local and no usable endpoint on ${node}${others}.`;
}

/** Why the load balancer's rules turned the client away. */
export function explainSourceRanges({ service }: ServiceHit, packet: Packet): string {
  const ranges = service.spec.loadBalancerSourceRanges.map((range) => range.trim()).join(', ');
  const client = formatIpAddress(packet.src);
  return `the client ${client} is in none of spec.loadBalancerSourceRanges of Service ${nameOf(service)} (${ranges}).`;
}

/** Why no rule matched: the Service has the address but not the port. */
export function explainMissingPort({ service }: ServiceHit, { transport }: Packet): string {
  const ports = service.spec.ports
    .map(({ name, port, protocol }) => `${port}/${protocol}${name === '' ? '' : ` ${name}`}`)
    .join(', ');
  const asked = 'dport' in transport ? `${transport.dport}/${transport.kind.toUpperCase()}` : transport.kind;
  return `Service ${nameOf(service)} has no port ${asked} (spec.ports: ${ports}), so no rule matched and the packet followed the ordinary routes.`;
}

/** Why nothing listened where the packet arrived. */
export function explainClosedPort(
  hit: ServiceHit | undefined,
  { dst, transport }: Packet,
  pods: readonly NetworkPod[],
): string {
  const dport = 'dport' in transport ? transport.dport : 0;
  const answer = transport.kind === 'tcp' ? 'a TCP reset' : 'ICMP port unreachable';
  const pod = pods.find(({ addresses }) => addresses.some((address) => sameAddress(address, dst)));
  const open = (pod?.ports ?? []).map(({ containerPort }) => containerPort).join(', ');
  const declared = pod === undefined || open === '' ? '' : ` (its containers declare ${open})`;
  const because =
    hit?.port === undefined
      ? ''
      : ` ${serviceWords(hit)} has targetPort ${JSON.stringify(hit.port.targetPort)}.`;
  return `it answers with ${answer}, because nothing listens on port ${dport}${declared}.${because}`;
}
