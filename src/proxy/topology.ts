/**
 * Which endpoints a service port's traffic may go to from this node: a decision about values, apart from
 * the rules it becomes. Source: pkg/proxy/topology.go, Kubernetes 1.30.
 */
import type { Endpoint } from './endpoints.ts';
import { isExternallyAccessible, type ServicePort } from './service-port.ts';

/** What makes zone hints count: the Service's annotation, the endpoints' hints alone, or nothing. */
export type HintsUse = 'by-annotation' | 'always' | 'never';

export interface TopologyContext {
  /** The node's zone label; empty when it has none. */
  readonly zone: string;
  readonly hintsUse: HintsUse;
}

export interface EndpointSelection {
  /** For traffic under policy Cluster; empty when the service port has none such. */
  readonly cluster: readonly Endpoint[];
  /** For traffic under policy Local; empty when the service port has none such. */
  readonly local: readonly Endpoint[];
  /** The union of the two, in the endpoints' order. */
  readonly reachable: readonly Endpoint[];
  /** True when anything could serve, be it on another node only. */
  readonly hasEndpoints: boolean;
}

/** True when some of the service port's traffic is under policy Cluster. */
export function usesClusterEndpoints(port: ServicePort): boolean {
  // Under external policy Local too: what comes from this node's own pods short-circuits to any endpoint.
  return !port.internalPolicyLocal || isExternallyAccessible(port);
}

/** True when some of the service port's traffic is under policy Local. */
export function usesLocalEndpoints(port: ServicePort): boolean {
  return port.internalPolicyLocal || (port.externalPolicyLocal && isExternallyAccessible(port));
}

/** Not ready, but still answering while it ends: used only when nothing is ready. */
function isDraining(endpoint: Endpoint): boolean {
  return !endpoint.ready && endpoint.serving && endpoint.terminating;
}

/** Any other value than these turns hints on, `DISABLED` and `x` too. */
const ANNOTATION_OFF: ReadonlySet<string> = new Set(['', 'disabled', 'Disabled']);

function hintsEnabled(port: ServicePort, use: HintsUse): boolean {
  return use === 'always' || (use === 'by-annotation' && !ANNOTATION_OFF.has(port.hintsAnnotation));
}

/** Hints count all together or not at all: every ready endpoint has some, and one is meant for `zone`. */
function hintsAreUsable(ready: readonly Endpoint[], zone: string): boolean {
  return (
    zone !== '' &&
    ready.every(({ zoneHints }) => zoneHints.length > 0) &&
    ready.some(({ zoneHints }) => zoneHints.includes(zone))
  );
}

function clusterEndpoints(
  port: ServicePort,
  endpoints: readonly Endpoint[],
  { zone, hintsUse }: TopologyContext,
): readonly Endpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  if (ready.length === 0) return endpoints.filter(isDraining);
  if (!hintsEnabled(port, hintsUse) || !hintsAreUsable(ready, zone)) return ready;
  return ready.filter(({ zoneHints }) => zoneHints.includes(zone));
}

function localEndpoints(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const local = endpoints.filter((endpoint) => endpoint.local);
  const ready = local.filter((endpoint) => endpoint.ready);
  return ready.length > 0 ? ready : local.filter(isDraining);
}

function union(
  endpoints: readonly Endpoint[],
  cluster: readonly Endpoint[],
  local: readonly Endpoint[],
): readonly Endpoint[] {
  if (local.length === 0) return cluster;
  if (cluster.length === 0) return local;
  const chosen = new Set([...cluster, ...local]);
  return endpoints.filter((endpoint) => chosen.has(endpoint));
}

/**
 * Chooses among all `endpoints` of `port`. Cluster and Local fall back to draining endpoints independently;
 * zone hints concern the Cluster list alone.
 */
export function selectEndpoints(
  port: ServicePort,
  endpoints: readonly Endpoint[],
  context: TopologyContext,
): EndpointSelection {
  const usesLocal = usesLocalEndpoints(port);
  const cluster = usesClusterEndpoints(port) ? clusterEndpoints(port, endpoints, context) : [];
  const local = usesLocal ? localEndpoints(endpoints) : [];
  const servesAnywhere = usesLocal && endpoints.some((endpoint) => endpoint.ready || isDraining(endpoint));
  return {
    cluster,
    local,
    reachable: union(endpoints, cluster, local),
    hasEndpoints: cluster.length > 0 || servesAnywhere,
  };
}
