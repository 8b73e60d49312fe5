/** What becomes of a service port's traffic on this node: the decisions that every proxy mode shares. */
import type { Endpoint } from './endpoints.ts';
import { isExternallyAccessible, type ServicePort } from './service-port.ts';
import { type EndpointSelection, selectEndpoints, type TopologyContext } from './topology.ts';

/** Why traffic of one kind reaches nothing: no endpoint anywhere, or (policy Local) none on this node. */
export type NoEndpoints = 'anywhere' | 'on-this-node';

/** Whose endpoints a kind of traffic is balanced over. */
export type TrafficPolicy = 'cluster' | 'local';

export interface ServicePlan {
  readonly port: ServicePort;
  readonly endpoints: EndpointSelection;
  /** Traffic to the clusterIP. */
  readonly internal: { readonly policy: TrafficPolicy; readonly missing: NoEndpoints | undefined };
  /** Traffic to the nodePort, the external and the load-balancer addresses. */
  readonly external: { readonly policy: TrafficPolicy; readonly missing: NoEndpoints | undefined };
  /**
   * True when external traffic has rules of its own; also with no endpoint on this node, because the
   * node's own traffic still short-circuits to the others.
   */
  readonly acceptsExternal: boolean;
  /** True when load-balancer traffic is held to the source ranges. */
  readonly restrictsSources: boolean;
}

function missingFor(
  policy: TrafficPolicy,
  { hasEndpoints, local }: EndpointSelection,
): NoEndpoints | undefined {
  if (!hasEndpoints) return 'anywhere';
  return policy === 'local' && local.length === 0 ? 'on-this-node' : undefined;
}

/** Decides about `port`, given all its `endpoints` (sorted by text). */
export function planService(
  port: ServicePort,
  endpoints: readonly Endpoint[],
  context: TopologyContext,
): ServicePlan {
  const selection = selectEndpoints(port, endpoints, context);
  const internalPolicy: TrafficPolicy = port.internalPolicyLocal ? 'local' : 'cluster';
  const externalPolicy: TrafficPolicy = port.externalPolicyLocal ? 'local' : 'cluster';
  const { hasEndpoints } = selection;
  return {
    port,
    endpoints: selection,
    internal: { policy: internalPolicy, missing: missingFor(internalPolicy, selection) },
    external: { policy: externalPolicy, missing: missingFor(externalPolicy, selection) },
    acceptsExternal: hasEndpoints && isExternallyAccessible(port),
    restrictsSources: hasEndpoints && port.loadBalancerVips.length > 0 && port.sourceRanges.length > 0,
  };
}
