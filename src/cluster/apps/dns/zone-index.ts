/** The objects of a cluster by the names and addresses that DNS asks for. */
import { SERVICE_NAME_LABEL } from '../../../kube/controllers/endpoint-slices.ts';
import type { EndpointSlice, Service } from '../../../kube/objects.ts';
import { formatIpAddress, type IpAddress, tryParseIpAddress } from '../../../wire/ip-address.ts';
import type { ClusterView } from './cluster-zone.ts';

export interface NamedEndpoint {
  /** Its label under the Service's name. */
  readonly host: string;
  readonly address: IpAddress;
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[];
}

/** Namespaces that every cluster has. */
const DEFAULT_NAMESPACES = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];

/** An endpoint without ports has a name all the same. */
const NO_PORT = [{ name: '', protocol: '', port: 0 }];

function endpointsOf(slice: EndpointSlice): NamedEndpoint[] {
  const ports = slice.ports.map(({ name = '', protocol, port = 0 }) => ({ name, protocol, port }));
  return slice.endpoints
    .filter(({ conditions }) => conditions.ready !== false)
    .flatMap(({ addresses, hostname }) =>
      addresses.flatMap((text) => {
        const address = tryParseIpAddress(text);
        if (address === undefined) return [];
        const host = hostname ?? formatIpAddress(address).replaceAll(/[.:]/g, '-');
        return [{ host, address, ports: ports.length > 0 ? ports : NO_PORT }];
      }),
    );
}

const serviceOf = ({ metadata }: EndpointSlice) => metadata.labels[SERVICE_NAME_LABEL] ?? '';

export class ZoneIndex {
  readonly view: ClusterView;
  readonly #services = new Map<string, Service>();
  readonly #slices = new Map<string, EndpointSlice[]>();
  readonly #namespaces = new Set(DEFAULT_NAMESPACES);
  #reverse: Map<string, string[]> | undefined;

  constructor(view: ClusterView) {
    this.view = view;
    for (const service of view.services) {
      const { namespace, name } = service.metadata;
      this.#services.set(`${namespace}/${name}`, service);
      this.#namespaces.add(namespace);
    }
    for (const slice of view.endpointSlices) {
      const key = `${slice.metadata.namespace}/${serviceOf(slice)}`;
      const found = this.#slices.get(key);
      if (found === undefined) this.#slices.set(key, [slice]);
      else found.push(slice);
    }
    for (const { metadata } of view.pods) this.#namespaces.add(metadata.namespace);
  }

  hasNamespace(name: string): boolean {
    return this.#namespaces.has(name);
  }

  service(namespace: string, name: string): Service | undefined {
    return this.#services.get(`${namespace}/${name}`);
  }

  /** The ready endpoints of a Service. */
  endpoints(namespace: string, service: string): readonly NamedEndpoint[] {
    return (this.#slices.get(`${namespace}/${service}`) ?? []).flatMap(endpointsOf);
  }

  /** `SERVICE.NAMESPACE` for a Service's address, `HOST.SERVICE.NAMESPACE` for an endpoint's. */
  namesOf(address: IpAddress): readonly string[] {
    this.#reverse ??= this.#makeReverse();
    return this.#reverse.get(formatIpAddress(address)) ?? [];
  }

  #makeReverse(): Map<string, string[]> {
    const names = new Map<string, string[]>();
    for (const { metadata, spec } of this.view.services) {
      for (const text of spec.clusterIPs) {
        const address = tryParseIpAddress(text);
        if (address !== undefined)
          names.set(formatIpAddress(address), [`${metadata.name}.${metadata.namespace}`]);
      }
    }
    const ofServices = new Set(names.keys());
    for (const slice of this.view.endpointSlices) {
      for (const { host, address } of endpointsOf(slice)) {
        const key = formatIpAddress(address);
        if (ofServices.has(key)) continue;
        const known = names.get(key) ?? [];
        names.set(key, [...known, `${host}.${serviceOf(slice)}.${slice.metadata.namespace}`]);
      }
    }
    return names;
  }
}
