/**
 * v1 Service. Values are checked as the API server checks them. Fields that have no meaning beside one
 * another (a health-check node port without the Local policy, source ranges on a ClusterIP Service) are let
 * through: kube-proxy ignores them by rules of its own, and those are worth emulating too.
 */
import { familyOf } from '../../wire/ip-address.ts';
import type { LoadBalancerIngress, Service, ServicePort, ServiceType } from '../objects.ts';
import { tryParseSloppyIp } from '../sloppy-address.ts';
import { ipText, paddedCidrText } from './addresses.ts';
import { type Cursor, type Decoder, elements, fail, field } from './cursor.ts';
import {
  boolean,
  defined,
  integer,
  list,
  oneOf,
  oneOfOr,
  optional,
  refuseDuplicates,
  string,
  stringMap,
  withDefault,
} from './decoders.ts';
import { metadata } from './metadata.ts';
import { dns1035Label } from './names.ts';
import { servicePorts } from './service-port.ts';

const TYPES = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] as const;
const FAMILIES = ['IPv4', 'IPv6'] as const;
const FAMILY_POLICIES = ['SingleStack', 'PreferDualStack', 'RequireDualStack'] as const;
const TRAFFIC_POLICIES = ['Cluster', 'Local'] as const;

type ServiceFamily = Service['spec']['ipFamilies'][number];

/** Blank text passes where kube-proxy skips it in silence. */
function unlessBlank(decode: Decoder<string>): Decoder<string> {
  return (at) => (typeof at.value === 'string' && at.value.trim() === '' ? at.value : decode(at));
}

const clusterIpText: Decoder<string> = (at) => (at.value === 'None' ? 'None' : ipText(at));

function familyOfText(text: string): ServiceFamily | undefined {
  const address = tryParseSloppyIp(text);
  if (address === undefined) return undefined;
  return familyOf(address) === 'ipv4' ? 'IPv4' : 'IPv6';
}

/** `clusterIPs`, else `clusterIP` alone; empty when neither is given. */
function clusterIps(spec: Cursor, ipFamilies: readonly ServiceFamily[]): string[] {
  const single = field(spec, 'clusterIP');
  const first = single.value === '' ? undefined : optional(clusterIpText)(single);
  const plural = field(spec, 'clusterIPs');
  const all = list(clusterIpText)(plural);
  if (all.length === 0) return first === undefined ? [] : [first];
  if (first !== undefined && first !== all[0])
    fail(single, `${first} is not the first of clusterIPs, ${all[0]}`);
  if (all.length > 2) fail(plural, 'at most one address per IP family may be given');
  for (const at of elements(plural)) {
    const text = all[Number(at.key)] ?? '';
    if (text === 'None' && all.length > 1) fail(at, "'None' may only stand alone");
    const expected = ipFamilies[Number(at.key)];
    if (text !== 'None' && expected !== undefined && familyOfText(text) !== expected) {
      fail(at, `${text} is not an ${expected} address, which ipFamilies[${at.key}] asks for`);
    }
  }
  refuseDuplicates(elements(plural), (at) => familyOfText(all[Number(at.key)] ?? ''), 'an address of family');
  return all;
}

function ingress(at: Cursor): LoadBalancerIngress {
  return defined<LoadBalancerIngress>({
    ip: field(at, 'ip').value === '' ? undefined : optional(ipText)(field(at, 'ip')),
    hostname: optional(string)(field(at, 'hostname')),
    ipMode: optional(oneOf(['VIP', 'Proxy']))(field(at, 'ipMode')),
  });
}

const DEFAULT_AFFINITY_TIMEOUT = 10800;
const MAX_AFFINITY_TIMEOUT = 86400;

function affinityTimeout(spec: Cursor): number {
  const clientIp = field(field(spec, 'sessionAffinityConfig'), 'clientIP');
  return withDefault(
    integer(1, MAX_AFFINITY_TIMEOUT),
    DEFAULT_AFFINITY_TIMEOUT,
  )(field(clientIp, 'timeoutSeconds'));
}

/** What the type demands of ports and cluster addresses. */
function checkType(
  spec: Cursor,
  type: ServiceType,
  ports: readonly ServicePort[],
  ips: readonly string[],
): void {
  const headless = ips[0] === 'None';
  if (type === 'ExternalName') return;
  if (ports.length === 0 && !headless) fail(field(spec, 'ports'), 'is required');
  if (headless && type !== 'ClusterIP') {
    fail(field(spec, 'clusterIP'), `may not be set to 'None' for ${type} services`);
  }
  if (type !== 'ClusterIP') return;
  for (const at of elements(field(spec, 'ports'))) {
    if (ports[Number(at.key)]?.nodePort) {
      fail(field(at, 'nodePort'), "may not be used when type is 'ClusterIP'");
    }
  }
}

/** An absent selector and an empty one both mean that somebody else writes the endpoints. */
function selector(at: Cursor): Readonly<Record<string, string>> | undefined {
  const labels = stringMap(at);
  return Object.keys(labels).length === 0 ? undefined : labels;
}

/** Decodes a Service. */
export function decodeService(at: Cursor): Service {
  const spec = field(at, 'spec');
  const type = oneOfOr(TYPES, 'ClusterIP')(field(spec, 'type'));
  const familiesAt = field(spec, 'ipFamilies');
  const ipFamilies = list(oneOf(FAMILIES))(familiesAt);
  refuseDuplicates(elements(familiesAt), (cursor) => cursor.value, 'the family');
  const ips = clusterIps(spec, ipFamilies);
  const ports = servicePorts(field(spec, 'ports'));
  checkType(spec, type, ports, ips);
  const loadBalancer = field(field(at, 'status'), 'loadBalancer');
  const loadBalancerIP = field(spec, 'loadBalancerIP');
  return defined<Service>({
    kind: 'Service',
    allocated: elements(field(spec, 'clusterIPs')).length > 0 ? true : undefined,
    metadata: metadata(at, { namespaced: true, name: dns1035Label }),
    origin: at.manifest.origin,
    spec: defined<Service['spec']>({
      type,
      clusterIP: ips[0] ?? '',
      clusterIPs: ips,
      ipFamilies,
      ipFamilyPolicy: optional(oneOf(FAMILY_POLICIES))(field(spec, 'ipFamilyPolicy')),
      ports,
      selector: selector(field(spec, 'selector')),
      externalName: optional(string)(field(spec, 'externalName')),
      externalIPs: list(unlessBlank(ipText))(field(spec, 'externalIPs')),
      loadBalancerIP: loadBalancerIP.value === '' ? undefined : optional(ipText)(loadBalancerIP),
      loadBalancerSourceRanges: list(unlessBlank(paddedCidrText))(field(spec, 'loadBalancerSourceRanges')),
      sessionAffinity: oneOfOr(['None', 'ClientIP'], 'None')(field(spec, 'sessionAffinity')),
      sessionAffinityTimeout: affinityTimeout(spec),
      internalTrafficPolicy: withDefault(
        oneOf(TRAFFIC_POLICIES),
        'Cluster',
      )(field(spec, 'internalTrafficPolicy')),
      externalTrafficPolicy: oneOfOr(TRAFFIC_POLICIES, 'Cluster')(field(spec, 'externalTrafficPolicy')),
      healthCheckNodePort: withDefault(integer(0, 65535), 0)(field(spec, 'healthCheckNodePort')),
      publishNotReadyAddresses: withDefault(boolean, false)(field(spec, 'publishNotReadyAddresses')),
      allocateLoadBalancerNodePorts: withDefault(boolean, true)(field(spec, 'allocateLoadBalancerNodePorts')),
    }),
    status: { loadBalancer: { ingress: list(ingress)(field(loadBalancer, 'ingress')) } },
  });
}
