/** Which container port a Service port means in one pod. */
import type { EndpointPort, Pod, Service, ServicePort } from '../objects.ts';

/**
 * The number behind `targetPort`: itself, or that of the container port of that name and the same protocol
 * (k8s.io/endpointslice, FindPort). Undefined when the pod has no such port.
 */
export function resolveTargetPort({ targetPort, protocol }: ServicePort, pod: Pod): number | undefined {
  if (typeof targetPort === 'number') return targetPort;
  const port = pod.spec.ports.find((each) => each.name === targetPort && each.protocol === protocol);
  return port?.containerPort;
}

/** The slice ports of `pod` behind `service`; a Service port that the pod lacks is left out. */
export function endpointPorts({ spec }: Service, pod: Pod): EndpointPort[] {
  return spec.ports.flatMap((port) => {
    const number = resolveTargetPort(port, pod);
    return number === undefined ? [] : [{ name: port.name, protocol: port.protocol, port: number }];
  });
}
