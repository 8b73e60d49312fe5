/**
 * The names of a cluster: what its DNS server answers, by the rules of CoreDNS's kubernetes plugin
 * (plugin/kubernetes/kubernetes.go, reverse.go) and the Kubernetes DNS specification 1.1.0.
 *
 *     SERVICE.NAMESPACE.svc.DOMAIN             the cluster addresses, or those of every ready endpoint
 *     HOST.SERVICE.NAMESPACE.svc.DOMAIN        one endpoint: its hostname, or its address with dashes
 *     _PORT._PROTOCOL.SERVICE.NAMESPACE.svc.DOMAIN   SRV
 *     1-2-3-4.NAMESPACE.pod.DOMAIN             that address
 */
import type { EndpointSlice, Pod, Service } from '../../../kube/objects.ts';
import { familyOf, formatIpAddress, type IpAddress, tryParseIpAddress } from '../../../wire/ip-address.ts';
import type { DnsRecord, SoaRecord, SrvRecord } from './message.ts';
import { addressOfReverseName } from './reverse-name.ts';
import { ZoneIndex } from './zone-index.ts';

/** What of a cluster has names. */
export interface ClusterView {
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
  readonly pods: readonly Pod[];
}

export interface ZoneOptions {
  /** By default `cluster.local`. */
  readonly domain?: string;
  /** Seconds that answers keep; kubeadm's Corefile says 30. */
  readonly ttl?: number;
}

/** What the zone knows of a question. */
export interface ZoneAnswer {
  readonly rcode: 'NOERROR' | 'NXDOMAIN';
  readonly answers: readonly DnsRecord[];
  /** With no answers: the SOA that says for how long. */
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

export const DEFAULT_DOMAIN = 'cluster.local';
export const DEFAULT_TTL = 30;
const SPECIFICATION_VERSION = '1.1.0';
/** What an SRV record for the only target weighs; several share it. */
const WEIGHT = 100;

/** One address behind a name, or one name it stands for (an ExternalName Service). */
interface Backend {
  /** The name the address belongs to. */
  readonly key: string;
  readonly host: IpAddress | string;
  readonly port: number;
}

/** Undefined: there is no such name. */
type Lookup = readonly Backend[] | undefined;

/** What is asked of a Service: itself, one endpoint, or one port. */
interface ServiceQuestion {
  readonly endpoint?: string;
  readonly port?: string;
  readonly protocol?: string;
}

const withoutUnderscore = (label: string) => (label.startsWith('_') ? label.slice(1) : label);

const matches = (asked: string | undefined, has: string) =>
  asked === undefined || asked === '' || asked === has.toLowerCase();

export class ClusterZone {
  readonly domain: string;
  readonly #ttl: number;
  readonly #view: () => ClusterView;
  #index: ZoneIndex | undefined;

  /** `view` is asked for at every question: the cluster may have changed. */
  constructor(view: () => ClusterView, { domain = DEFAULT_DOMAIN, ttl = DEFAULT_TTL }: ZoneOptions = {}) {
    this.#view = view;
    this.domain = domain.toLowerCase();
    this.#ttl = ttl;
  }

  get #names(): ZoneIndex {
    const view = this.#view();
    if (this.#index?.view !== view) this.#index = new ZoneIndex(view);
    return this.#index;
  }

  /** Answers the question for `name` and `type`; undefined when it is not the zone's to answer. */
  lookup(name: string, type: string): ZoneAnswer | undefined {
    const lower = name.toLowerCase();
    const reverse = addressOfReverseName(lower);
    if (reverse !== undefined) return this.#reverse(name, reverse, type);
    if (lower !== this.domain && !lower.endsWith(`.${this.domain}`)) return undefined;
    const base = lower === this.domain ? '' : lower.slice(0, -this.domain.length - 1);
    const fixed = this.#fixed(base, name, type);
    if (fixed !== undefined) return fixed;
    const backends = this.#resolve(base === '' ? [] : base.split('.'));
    if (backends === undefined) return this.#negative('NXDOMAIN');
    return this.#records(backends, name, type);
  }

  /** The names that do not depend on what is in the cluster. */
  #fixed(base: string, name: string, type: string): ZoneAnswer | undefined {
    if (base === 'dns-version') {
      return type === 'TXT'
        ? positive([{ type: 'TXT', name, ttl: this.#ttl, text: SPECIFICATION_VERSION }])
        : this.#negative('NOERROR');
    }
    if (base !== '') return undefined;
    if (type === 'SOA') return positive([this.#soa()]);
    if (type === 'NS')
      return positive([{ type: 'NS', name, ttl: this.#ttl, target: `ns.dns.${this.domain}` }]);
    return this.#negative('NOERROR');
  }

  /** What `labels`, the name without the domain, stands for. */
  #resolve(labels: readonly string[]): Lookup {
    const rest = [...labels];
    const kind = rest.pop();
    if (kind !== 'svc' && kind !== 'pod') return undefined;
    const namespace = rest.pop();
    if (namespace === undefined) return [];
    if (!this.#names.hasNamespace(namespace)) return undefined;
    const service = rest.pop();
    if (service === undefined) return [];
    if (kind === 'pod') return rest.length === 0 ? this.#pod(service, namespace) : undefined;
    const [first, second, ...more] = rest;
    if (more.length > 0) return undefined;
    if (first === undefined) return this.#service(namespace, service, {});
    if (second === undefined) return this.#service(namespace, service, { endpoint: first });
    const question = { port: withoutUnderscore(first), protocol: withoutUnderscore(second) };
    return this.#service(namespace, service, question);
  }

  /** Any address has a name under `pod` ("pods insecure"). */
  #pod(label: string, namespace: string): Lookup {
    const v4 = label.split('-').length === 4 && !label.includes('--');
    const address = tryParseIpAddress(label.replaceAll('-', v4 ? '.' : ':'));
    if (address === undefined) return undefined;
    return [{ key: `${label}.${namespace}.pod.${this.domain}`, host: address, port: 0 }];
  }

  #service(namespace: string, name: string, question: ServiceQuestion): Lookup {
    const service = this.#names.service(namespace, name);
    if (service === undefined) return undefined;
    const key = `${service.metadata.name}.${service.metadata.namespace}.svc.${this.domain}`;
    const { spec } = service;
    if (spec.type === 'ExternalName') {
      const { externalName = '' } = spec;
      if (question.endpoint !== undefined || externalName === '') return undefined;
      return [{ key, host: withoutDot(externalName), port: 0 }];
    }
    const found =
      spec.clusterIP === 'None' || question.endpoint !== undefined
        ? this.#endpoints(service, key, question)
        : clusterBackends(service, key, question);
    return found.length === 0 ? undefined : found;
  }

  #endpoints({ metadata }: Service, key: string, { endpoint, port, protocol }: ServiceQuestion): Backend[] {
    const found: Backend[] = [];
    for (const { host, address, ports } of this.#names.endpoints(metadata.namespace, metadata.name)) {
      if (endpoint !== undefined && endpoint !== host.toLowerCase()) continue;
      for (const each of ports) {
        if (!matches(port, each.name) || !matches(protocol, each.protocol)) continue;
        found.push({ key: `${host}.${key}`, host: address, port: each.port });
      }
    }
    return found;
  }

  #records(backends: readonly Backend[], name: string, type: string): ZoneAnswer {
    const answers =
      type === 'SRV' ? this.#srv(backends, name) : { answers: this.#addresses(backends, name, type) };
    if (answers.answers.length === 0) return this.#negative('NOERROR');
    return { ...positive(answers.answers), ...answers };
  }

  #addresses(backends: readonly Backend[], name: string, type: string): DnsRecord[] {
    const ttl = this.#ttl;
    const seen = new Set<string>();
    return backends.flatMap(({ host }): DnsRecord[] => {
      const text = typeof host === 'string' ? host : formatIpAddress(host);
      if (seen.has(text)) return [];
      seen.add(text);
      if (typeof host === 'string') {
        const aliased = type === 'A' || type === 'AAAA' || type === 'CNAME';
        return aliased ? [{ type: 'CNAME', name, ttl, target: host }] : [];
      }
      const own = familyOf(host) === 'ipv4' ? 'A' : 'AAAA';
      return type === own ? [{ type: own, name, ttl, address: host }] : [];
    });
  }

  /** A target for each name and port, and the addresses of the targets beside them. */
  #srv(backends: readonly Backend[], name: string) {
    const ttl = this.#ttl;
    const weight = Math.max(Math.floor(WEIGHT / Math.max(backends.length, 1)), 1);
    const answers = new Map<string, SrvRecord>();
    const additionals = new Map<string, DnsRecord>();
    for (const { key, host, port } of backends) {
      const target = typeof host === 'string' ? host : key;
      const id = `${target} ${port}`;
      if (!answers.has(id)) answers.set(id, { type: 'SRV', name, ttl, priority: 0, weight, port, target });
      if (typeof host === 'string') continue;
      const type = familyOf(host) === 'ipv4' ? 'A' : 'AAAA';
      additionals.set(`${key} ${formatIpAddress(host)}`, { type, name: key, ttl, address: host });
    }
    return { answers: [...answers.values()], additionals: [...additionals.values()] };
  }

  /** Addresses of Services, then of endpoints; others are somebody else's. */
  #reverse(name: string, address: IpAddress, type: string): ZoneAnswer | undefined {
    const hosts = this.#names.namesOf(address);
    if (hosts.length === 0) return undefined;
    if (type !== 'PTR') return this.#negative('NOERROR');
    return positive(
      hosts.map((host) => ({ type: 'PTR', name, ttl: this.#ttl, target: `${host}.svc.${this.domain}` })),
    );
  }

  #negative(rcode: ZoneAnswer['rcode']): ZoneAnswer {
    return { rcode, answers: [], authorities: [this.#soa()], additionals: [] };
  }

  #soa(): SoaRecord {
    return {
      type: 'SOA',
      name: this.domain,
      ttl: this.#ttl,
      primary: `ns.dns.${this.domain}`,
      mailbox: `hostmaster.${this.domain}`,
      serial: 1,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: this.#ttl,
    };
  }
}

function positive(answers: readonly DnsRecord[]): ZoneAnswer {
  return { rcode: 'NOERROR', answers, authorities: [], additionals: [] };
}

const withoutDot = (name: string) => (name.endsWith('.') ? name.slice(0, -1) : name);

function clusterBackends({ spec }: Service, key: string, { port, protocol }: ServiceQuestion): Backend[] {
  const addresses = spec.clusterIPs.flatMap((text) => tryParseIpAddress(text) ?? []);
  return spec.ports
    .filter((each) => matches(port, each.name) && matches(protocol, each.protocol))
    .flatMap((each) => addresses.map((host) => ({ key, host, port: each.port })));
}
