/** What one port of a Service is called. */
import type { L4Protocol } from '../kube/objects.ts';

export interface ServicePortName {
  readonly namespace: string;
  /** The Service's. */
  readonly name: string;
  /** The port's name; empty when it has none. */
  readonly port: string;
  readonly protocol: L4Protocol;
}

/** `namespace/name:port`, or `namespace/name` for an unnamed port: the spelling of comments and hashes. */
export function formatServicePortName({ namespace, name, port }: ServicePortName): string {
  return port === '' ? `${namespace}/${name}` : `${namespace}/${name}:${port}`;
}

/** A map key: the name with the protocol, which the printed name leaves out. */
export function servicePortKey(name: ServicePortName): string {
  return `${formatServicePortName(name)}/${name.protocol}`;
}
