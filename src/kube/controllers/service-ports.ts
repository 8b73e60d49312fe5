/** nodePorts and health-check node ports (pkg/registry/core/service/portallocator). */
import { NumberPool } from '../../wire/number-pool.ts';
import type { ValuePath } from '../manifest/source-document.ts';
import type { Service } from '../objects.ts';
import { describeObject, describeOrigin, refusal } from '../refusal.ts';

export interface PortRange {
  readonly first: number;
  /** Included. */
  readonly last: number;
}

function needsNodePorts({ spec, allocated }: Service): boolean {
  if (allocated) return false;
  return spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts);
}

function needsHealthCheckPort({ spec, allocated }: Service): boolean {
  if (allocated || spec.healthCheckNodePort !== 0) return false;
  return spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
}

class PortAllocator {
  readonly #range: PortRange;
  readonly #pool: NumberPool;
  readonly #owners = new Map<number, Service>();

  constructor(range: PortRange) {
    this.#range = range;
    this.#pool = new NumberPool(range.first, range.last);
  }

  /** Takes a given port; one Service may have it several times, for several protocols. */
  reserve(service: Service, path: ValuePath, port: number): void {
    if (port === 0) return;
    const { first, last } = this.#range;
    if (port < first || port > last) {
      throw refusal(
        service,
        path,
        `${port} is not in the valid range; the range of valid ports is ${first}-${last}`,
      );
    }
    const other = this.#owners.get(port);
    if (other !== undefined && other !== service) {
      const where = `${describeObject(other)} (${describeOrigin(other.origin)})`;
      throw refusal(service, path, `port ${port} is already allocated to ${where}`);
    }
    this.#owners.set(port, service);
    this.#pool.reserve(port);
  }

  allocate(service: Service): number {
    const port = this.#pool.allocate();
    if (port !== undefined) return port;
    throw refusal(service, [], `no node port is left in ${this.#range.first}-${this.#range.last}`);
  }
}

/**
 * `services` with their missing nodePorts and health-check node ports, the lowest free ones of `range`. Ports
 * of one Service with the same number and different protocols share a nodePort. Throws InputError for ports
 * outside the range and for two Services with one port.
 */
export function assignNodePorts(services: readonly Service[], range: PortRange): Service[] {
  const allocator = new PortAllocator(range);
  for (const service of services) {
    for (const [index, { nodePort }] of service.spec.ports.entries()) {
      allocator.reserve(service, ['spec', 'ports', index, 'nodePort'], nodePort);
    }
    allocator.reserve(service, ['spec', 'healthCheckNodePort'], service.spec.healthCheckNodePort);
  }
  return services.map((service) => completePorts(service, allocator));
}

function completePorts(service: Service, allocator: PortAllocator): Service {
  const { spec } = service;
  if (!needsNodePorts(service) && !needsHealthCheckPort(service)) return service;
  const byPort = new Map(
    spec.ports.filter(({ nodePort }) => nodePort !== 0).map((each) => [each.port, each.nodePort]),
  );
  const ports = spec.ports.map((port) => {
    if (port.nodePort !== 0 || !needsNodePorts(service)) return port;
    const nodePort = byPort.get(port.port) ?? allocator.allocate(service);
    byPort.set(port.port, nodePort);
    return { ...port, nodePort };
  });
  const healthCheckNodePort = needsHealthCheckPort(service)
    ? allocator.allocate(service)
    : spec.healthCheckNodePort;
  return { ...service, spec: { ...spec, ports, healthCheckNodePort } };
}
