/** EndpointSlices as kube-proxy sees them: the endpoints of each service port, in the order of their text. */
import type { EndpointSlice, Endpoint as SliceEndpoint } from '../kube/objects.ts';
import { tryParseSloppyIp } from '../kube/sloppy-address.ts';
import { familyOf, type IpFamily } from '../wire/ip-address.ts';

import { hasProxyOptOut } from './opt-out.ts';
import { servicePortKey } from './service-port-name.ts';

export interface Endpoint {
  /** As the slice spells it: kube-proxy hashes, sorts and prints this text. */
  readonly address: string;
  readonly port: number;
  /** `address:port`, IPv6 in brackets. */
  readonly text: string;
  /** On the node that the proxy runs on. */
  readonly local: boolean;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly zoneHints: readonly string[];
  /** Where it was read, for messages. */
  readonly slice: EndpointSlice;
}

/** The endpoints of each service port, by servicePortKey(). */
export type EndpointTable = ReadonlyMap<string, readonly Endpoint[]>;

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
const ADDRESS_TYPE = { ipv4: 'IPv4', ipv6: 'IPv6' } as const satisfies Record<IpFamily, string>;

/** Orders strings by their code units, which for API names and addresses is bytewise. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Text that is no address at all counts as IPv4, as utilnet.IsIPv6String has it. */
function textFamily(text: string): IpFamily {
  const address = tryParseSloppyIp(text);
  return address === undefined ? 'ipv4' : familyOf(address);
}

function toEndpoint(
  slice: EndpointSlice,
  { conditions, nodeName, zoneHints }: SliceEndpoint,
  at: { readonly address: string; readonly port: number; readonly proxyNode: string },
): Endpoint {
  const { address, port } = at;
  return {
    address,
    port,
    text: address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
    local: nodeName !== undefined && at.proxyNode !== '' && nodeName === at.proxyNode,
    ready: conditions.ready ?? true,
    serving: conditions.serving ?? true,
    terminating: conditions.terminating ?? false,
    zoneHints,
    slice,
  };
}

/** Slices by namespace and name: the reference walks a map, so any order is one it could have taken. */
function inOrder(slices: Iterable<EndpointSlice>): readonly EndpointSlice[] {
  return [...slices].sort(
    (a, b) =>
      compareText(a.metadata.namespace, b.metadata.namespace) ||
      compareText(a.metadata.name, b.metadata.name),
  );
}

/**
 * Gathers the endpoints of `family` of every service port, each list sorted by `text`. `proxyNode` is the
 * name of the node the proxy runs on. Only an endpoint's first address counts. An address and port in
 * several slices are one endpoint: the first seen, unless a later one is local, which replaces it.
 * Source: pkg/proxy/endpointslicecache.go, Kubernetes 1.30.
 */
export function collectEndpoints(
  slices: Iterable<EndpointSlice>,
  { family, proxyNode }: { readonly family: IpFamily; readonly proxyNode: string },
): EndpointTable {
  const byPort = new Map<string, Map<string, Endpoint>>();
  for (const slice of inOrder(slices)) {
    const { labels, namespace } = slice.metadata;
    const service = Object.hasOwn(labels, SERVICE_NAME_LABEL) ? labels[SERVICE_NAME_LABEL] : undefined;
    if (!service || slice.addressType !== ADDRESS_TYPE[family] || hasProxyOptOut(slice)) continue;
    for (const { name, port, protocol } of slice.ports) {
      if (name === undefined || !port) continue;
      const key = servicePortKey({ namespace, name: service, port: name, protocol });
      const known = byPort.get(key) ?? new Map<string, Endpoint>();
      byPort.set(key, known);
      for (const source of slice.endpoints) {
        const address = source.addresses[0];
        if (address === undefined || textFamily(address) !== family) continue;
        const endpoint = toEndpoint(slice, source, { address, port, proxyNode });
        if (endpoint.local || !known.has(endpoint.text)) known.set(endpoint.text, endpoint);
      }
    }
  }
  return new Map(
    Array.from(byPort, ([key, known]) => [
      key,
      [...known.values()].sort((a, b) => compareText(a.text, b.text)),
    ]),
  );
}
