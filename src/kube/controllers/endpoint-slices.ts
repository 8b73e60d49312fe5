/** EndpointSlices of Services with a selector (k8s.io/endpointslice, reconciler.go). */
import { familyOf } from '../../wire/ip-address.ts';
import type { Endpoint, EndpointPort, EndpointSlice, Node, Pod, Service } from '../objects.ts';
import { tryParseSloppyIp } from '../sloppy-address.ts';
import { PodIndex } from './pod-index.ts';
import { isTerminal } from './scheduler.ts';
import { generateName } from './stable-name.ts';
import { endpointPorts } from './target-ports.ts';

export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by';
const CONTROLLER_NAME = 'endpointslice-controller.k8s.io';
const HEADLESS_LABEL = 'service.kubernetes.io/headless';
const ZONE_LABEL = 'topology.kubernetes.io/zone';

/** kube-controller-manager's --max-endpoints-per-slice. */
const MAX_ENDPOINTS_PER_SLICE = 100;

type AddressType = 'IPv4' | 'IPv6';

export interface EndpointSources {
  readonly pods: readonly Pod[];
  readonly nodes: readonly Node[];
}

function addressesOf(pod: Pod, type: AddressType): string[] {
  return pod.status.podIPs.filter((text) => {
    const address = tryParseSloppyIp(text);
    return address !== undefined && familyOf(address) === type.toLowerCase();
  });
}

/** Ready means ready to be given new connections: not while terminating, unless the Service asks for all. */
function newEndpoint(
  pod: Pod,
  addresses: readonly string[],
  service: Service,
  zones: ReadonlyMap<string, string>,
): Endpoint {
  const { nodeName, hostname, subdomain } = pod.spec;
  const serving = pod.status.ready === true;
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const zone = nodeName === undefined ? undefined : zones.get(nodeName);
  return {
    addresses,
    conditions: {
      ready: service.spec.publishNotReadyAddresses || (serving && !terminating),
      serving,
      terminating,
    },
    ...(hostname !== undefined && subdomain === service.metadata.name ? { hostname } : {}),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(zone === undefined ? {} : { zone }),
    zoneHints: [],
    targetRef: { kind: 'Pod', namespace: pod.metadata.namespace, name: pod.metadata.name },
  };
}

interface Group {
  readonly ports: readonly EndpointPort[];
  readonly endpoints: Endpoint[];
}

/** Pods whose container ports differ cannot share a slice: its ports hold for all its endpoints. */
function groupByPorts(
  service: Service,
  pods: readonly Pod[],
  type: AddressType,
  zones: ReadonlyMap<string, string>,
): Group[] {
  const groups = new Map<string, Group>();
  for (const pod of pods) {
    const addresses = addressesOf(pod, type);
    if (addresses.length === 0) continue;
    const ports = endpointPorts(service, pod);
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    groups.set(key, group);
    group.endpoints.push(newEndpoint(pod, addresses, service, zones));
  }
  return [...groups.values()];
}

/** `group` in slices that are not too long. */
function chunksOf({ ports, endpoints }: Group): Group[] {
  const chunks: Group[] = [];
  for (let start = 0; start < endpoints.length; start += MAX_ENDPOINTS_PER_SLICE) {
    chunks.push({ ports, endpoints: endpoints.slice(start, start + MAX_ENDPOINTS_PER_SLICE) });
  }
  return chunks;
}

const RESERVED_LABELS = new Set([SERVICE_NAME_LABEL, MANAGED_BY_LABEL, HEADLESS_LABEL]);

function sliceLabels({ metadata, spec }: Service): Record<string, string> {
  const own = Object.entries(metadata.labels).filter(([key]) => !RESERVED_LABELS.has(key));
  return {
    ...Object.fromEntries(own),
    [SERVICE_NAME_LABEL]: metadata.name,
    [MANAGED_BY_LABEL]: CONTROLLER_NAME,
    ...(spec.clusterIP === 'None' ? { [HEADLESS_LABEL]: '' } : {}),
  };
}

/**
 * The slices the endpoint-slice controller writes for `services`, of which it passes over those without a
 * selector and those of type ExternalName. Hints are never set: the controller computes them from the nodes'
 * CPUs, which nobody here knows. `taken` holds the NAMESPACE/NAME of slices that exist.
 */
export function deriveEndpointSlices(
  services: readonly Service[],
  { pods, nodes }: EndpointSources,
  taken: ReadonlySet<string> = new Set(),
): EndpointSlice[] {
  const index = new PodIndex(pods.filter((pod) => pod.status.podIPs.length > 0 && !isTerminal(pod)));
  const zones = new Map(
    nodes.flatMap(({ metadata }) => {
      const zone = metadata.labels[ZONE_LABEL];
      return zone === undefined ? [] : [[metadata.name, zone] as const];
    }),
  );
  const names = new Set(taken);
  return services.flatMap((service) => {
    const { metadata, spec, origin } = service;
    if (spec.selector === undefined || spec.type === 'ExternalName') return [];
    const selected = index.matching(metadata.namespace, { matchLabels: spec.selector, matchExpressions: [] });
    const labels = sliceLabels(service);
    return spec.ipFamilies.flatMap((addressType) => {
      const chunks = groupByPorts(service, selected, addressType, zones).flatMap(chunksOf);
      // One empty slice shows that the controller has looked at the Service.
      const slices = chunks.length > 0 ? chunks : [{ ports: [], endpoints: [] }];
      return slices.map((slice, number): EndpointSlice => {
        const seed = `${metadata.namespace}/${metadata.name}/${addressType}/${number}`;
        const name = uniqueSliceName(metadata.namespace, metadata.name, seed, names);
        return {
          kind: 'EndpointSlice',
          metadata: { name, namespace: metadata.namespace, labels, annotations: {} },
          origin,
          addressType,
          ...slice,
        };
      });
    });
  });
}

/** Names are unique in a namespace; `names` holds NAMESPACE/NAME and takes the new one. */
function uniqueSliceName(namespace: string, service: string, seed: string, names: Set<string>): string {
  const taken = { has: (name: string) => names.has(`${namespace}/${name}`) };
  const name = generateName(`${service}-`, seed, taken);
  names.add(`${namespace}/${name}`);
  return name;
}
