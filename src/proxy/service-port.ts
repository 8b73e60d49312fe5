/** Services as kube-proxy sees them: one ServicePort for each port that has a clusterIP in the family. */
import type { Service, ServicePort as ServicePortSpec } from '../kube/objects.ts';
import { tryParseSloppyIp } from '../kube/sloppy-address.ts';
import { InputError } from '../sim/input-error.ts';
import { familyOf, type IpAddress, type IpFamily } from '../wire/ip-address.ts';
import type { IpPrefix } from '../wire/ip-prefix.ts';
import { addressesOfFamily, prefixesOfFamily } from './family-addresses.ts';
import { hasProxyOptOut } from './opt-out.ts';
import { formatServicePortName, servicePortKey } from './service-port-name.ts';

export type Layer4 = 'tcp' | 'udp' | 'sctp';

/** One port of one Service in one family: all that the choice of endpoints and rules depends on. */
export interface ServicePort {
  /** Identity, and the key of its endpoints: servicePortKey(). */
  readonly key: string;
  /** `namespace/name:port`, as comments and hashes spell it. */
  readonly name: string;
  readonly protocol: Layer4;
  readonly clusterIp: IpAddress;
  readonly port: number;
  /** 0: none. */
  readonly nodePort: number;
  readonly externalIps: readonly IpAddress[];
  /** Ingress addresses of the load balancer that packets still carry when they reach the node. */
  readonly loadBalancerVips: readonly IpAddress[];
  readonly sourceRanges: readonly IpPrefix[];
  /** 0: none. */
  readonly healthCheckNodePort: number;
  /** Seconds a client stays with its endpoint; undefined without affinity. */
  readonly affinitySeconds: number | undefined;
  readonly internalPolicyLocal: boolean;
  readonly externalPolicyLocal: boolean;
  /** The topology annotation's value; empty when there is none. */
  readonly hintsAnnotation: string;
}

const HINTS_ANNOTATION_FIRST = 'service.kubernetes.io/topology-aware-hints';
const HINTS_ANNOTATION = 'service.kubernetes.io/topology-mode';

/** True when traffic can enter by something other than the clusterIP. */
export function isExternallyAccessible(port: ServicePort): boolean {
  return port.nodePort !== 0 || port.loadBalancerVips.length > 0 || port.externalIps.length > 0;
}

/** The older annotation wins by its mere presence, also when it is empty. */
function hintsAnnotation({ annotations }: Service['metadata']): string {
  if (Object.hasOwn(annotations, HINTS_ANNOTATION_FIRST)) return annotations[HINTS_ANNOTATION_FIRST] ?? '';
  return Object.hasOwn(annotations, HINTS_ANNOTATION) ? (annotations[HINTS_ANNOTATION] ?? '') : '';
}

function isSkipped(service: Service): boolean {
  const { clusterIP, type } = service.spec;
  return clusterIP === '' || clusterIP === 'None' || type === 'ExternalName' || hasProxyOptOut(service);
}

/** The text of the Service's clusterIP in `family`; undefined when it has none there. */
function clusterIpText({ spec }: Service, family: IpFamily): string | undefined {
  if (spec.ipFamilies.length === 0) {
    const address = tryParseSloppyIp(spec.clusterIP);
    return address !== undefined && familyOf(address) === family ? spec.clusterIP : undefined;
  }
  const index = spec.ipFamilies.indexOf(family === 'ipv4' ? 'IPv4' : 'IPv6');
  return index < 0 ? undefined : spec.clusterIPs[index] || undefined;
}

/** External policy Local counts only for the Service types that can take traffic from outside. */
function isExternalPolicyLocal({ spec }: Service): boolean {
  if (spec.externalTrafficPolicy !== 'Local') return false;
  const { type } = spec;
  return (
    type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && spec.externalIPs.length > 0)
  );
}

function loadBalancerVips({ status }: Service, family: IpFamily): readonly IpAddress[] {
  const vips = status.loadBalancer.ingress.filter(({ ipMode }) => ipMode === undefined || ipMode === 'VIP');
  return addressesOfFamily(
    vips.map(({ ip }) => ip ?? ''),
    family,
  );
}

/** What all ports of one Service share. */
function commonFields(service: Service, clusterIp: IpAddress, family: IpFamily) {
  const { spec } = service;
  const externalPolicyLocal = isExternalPolicyLocal(service);
  return {
    clusterIp,
    externalIps: addressesOfFamily(spec.externalIPs, family),
    loadBalancerVips: loadBalancerVips(service, family),
    sourceRanges: prefixesOfFamily(spec.loadBalancerSourceRanges, family),
    healthCheckNodePort: spec.type === 'LoadBalancer' && externalPolicyLocal ? spec.healthCheckNodePort : 0,
    affinitySeconds: spec.sessionAffinity === 'ClientIP' ? spec.sessionAffinityTimeout : undefined,
    internalPolicyLocal: spec.internalTrafficPolicy === 'Local',
    externalPolicyLocal,
    hintsAnnotation: hintsAnnotation(service.metadata),
  };
}

const LAYER4 = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' } as const satisfies Record<
  ServicePortSpec['protocol'],
  Layer4
>;

/**
 * The service ports of `service` in `family`, in the order of its spec; none when kube-proxy leaves the
 * Service alone (headless, ExternalName, labelled for another proxy) or it has no clusterIP there.
 * Addresses of the other family are left out. Throws InputError when the clusterIP is not an address.
 * Source: pkg/proxy/servicechangetracker.go and serviceport.go, Kubernetes 1.30.
 */
export function servicePortsOf(service: Service, family: IpFamily): readonly ServicePort[] {
  if (isSkipped(service)) return [];
  const text = clusterIpText(service, family);
  if (text === undefined) return [];
  const clusterIp = tryParseSloppyIp(text);
  if (clusterIp === undefined || familyOf(clusterIp) !== family) {
    const { namespace, name } = service.metadata;
    const wanted = family === 'ipv4' ? 'an IPv4' : 'an IPv6';
    throw new InputError(
      `clusterIP '${text}' of Service ${namespace}/${name}: expected ${wanted} address`,
      service.origin,
    );
  }
  const common = commonFields(service, clusterIp, family);
  return service.spec.ports.map((port) => {
    const name = { ...service.metadata, port: port.name, protocol: port.protocol };
    return {
      key: servicePortKey(name),
      name: formatServicePortName(name),
      protocol: LAYER4[port.protocol],
      port: port.port,
      nodePort: port.nodePort,
      ...common,
    };
  });
}
