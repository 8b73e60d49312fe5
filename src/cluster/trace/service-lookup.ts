/** Which Service a packet was addressed to, and by which of its fields. */
import type { EndpointSlice, Pod, Service, ServicePort } from '../../kube/objects.ts';
import { tryParseSloppyIp } from '../../kube/sloppy-address.ts';
import { type IpAddress, sameAddress } from '../../wire/ip-address.ts';
import type { Packet } from '../../wire/packet.ts';
import type { ClusterObjects } from '../derive.ts';
import { nodeAddresses } from '../network/plan-nodes.ts';

export type ServiceField = 'clusterIP' | 'externalIPs' | 'loadBalancer' | 'nodePort';

export interface ServiceHit {
  readonly service: Service;
  readonly field: ServiceField;
  /** Undefined: the address is the Service's, but it has no such port. */
  readonly port: ServicePort | undefined;
}

function holds(texts: readonly string[], address: IpAddress): boolean {
  return texts.some((text) => {
    const parsed = tryParseSloppyIp(text);
    return parsed !== undefined && sameAddress(parsed, address);
  });
}

function addressField({ spec, status }: Service, address: IpAddress): ServiceField | undefined {
  if (holds(spec.clusterIPs, address)) return 'clusterIP';
  if (holds(spec.externalIPs, address)) return 'externalIPs';
  const ingress = status.loadBalancer.ingress.map(({ ip }) => ip ?? '');
  return holds(ingress, address) ? 'loadBalancer' : undefined;
}

/** The Service that `packet`, as its sender made it, is addressed to; undefined when it is none's. */
export function findServiceOf(packet: Packet, { services, nodes }: ClusterObjects): ServiceHit | undefined {
  const { transport, dst } = packet;
  const dport = 'dport' in transport ? transport.dport : undefined;
  const protocol = transport.kind.toUpperCase();
  for (const service of services) {
    const field = addressField(service, dst);
    if (field === undefined) continue;
    const port = service.spec.ports.find((each) => each.port === dport && each.protocol === protocol);
    return { service, field, port };
  }
  if (!nodes.some((node) => nodeAddresses(node).some((address) => sameAddress(address, dst))))
    return undefined;
  for (const service of services) {
    const port = service.spec.ports.find((each) => each.nodePort === dport && each.protocol === protocol);
    if (port !== undefined && port.nodePort !== 0) return { service, field: 'nodePort', port };
  }
  return undefined;
}

/** `default/web` */
export function nameOf({ metadata }: Service | Pod): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** `Service default/web (port http)` */
export function serviceWords({ service, port }: ServiceHit): string {
  const name = `Service ${nameOf(service)}`;
  if (port === undefined) return name;
  return `${name} (port ${port.name === '' ? port.port : port.name})`;
}

/** The EndpointSlices that belong to `service`. */
export function slicesOf(service: Service, { endpointSlices }: ClusterObjects): EndpointSlice[] {
  const { namespace, name } = service.metadata;
  return endpointSlices.filter(
    ({ metadata }) =>
      metadata.namespace === namespace && metadata.labels['kubernetes.io/service-name'] === name,
  );
}
