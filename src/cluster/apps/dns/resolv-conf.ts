/** resolv.conf (resolver(5)): as the kubelet writes it into pods (pkg/kubelet/network/dns GetPodDNS), and as text. */
import type { DnsPolicy, PodDnsConfig } from '../../../kube/objects.ts';
import { familyOf, formatIpAddress, type IpAddress, tryParseIpAddress } from '../../../wire/ip-address.ts';

export interface ResolvConf {
  readonly nameservers: readonly IpAddress[];
  readonly searches: readonly string[];
  /** `NAME` or `NAME:VALUE`, as in the file. */
  readonly options: readonly string[];
}

export const EMPTY_RESOLV_CONF: ResolvConf = { nameservers: [], searches: [], options: [] };

/** glibc's MAXNS; the kubelet writes no more either. */
const MAX_NAMESERVERS = 3;
const MAX_SEARCHES = 32;

export interface PodDns {
  readonly namespace: string;
  readonly hostNetwork: boolean;
  readonly dnsPolicy?: DnsPolicy | undefined;
  readonly dnsConfig?: PodDnsConfig | undefined;
}

export interface ClusterDns {
  /** The addresses of the cluster's DNS Service, those that the pod can reach. */
  readonly servers: readonly IpAddress[];
  readonly domain: string;
  /** The node's own resolv.conf. */
  readonly node: ResolvConf;
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

function clusterFirst(namespace: string, { servers, domain, node }: ClusterDns): ResolvConf {
  return {
    nameservers: servers,
    searches: unique([`${namespace}.svc.${domain}`, `svc.${domain}`, domain, ...node.searches]),
    options: ['ndots:5'],
  };
}

function basis(
  { namespace, hostNetwork, dnsPolicy = 'ClusterFirst' }: PodDns,
  cluster: ClusterDns,
): ResolvConf {
  if (dnsPolicy === 'None') return EMPTY_RESOLV_CONF;
  const asCluster = dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && !hostNetwork);
  return asCluster && cluster.servers.length > 0 ? clusterFirst(namespace, cluster) : cluster.node;
}

const nameOf = (option: string) => option.split(':', 1)[0] ?? '';

/** Options of the pod's own go over those of the policy. */
function mergeOptions(options: readonly string[], own: PodDnsConfig['options']): string[] {
  const merged = new Map(options.map((option) => [nameOf(option), option]));
  for (const { name, value } of own) merged.set(name, value === undefined ? name : `${name}:${value}`);
  return [...merged.values()];
}

/** The resolv.conf of a pod. */
export function podResolvConf(pod: PodDns, cluster: ClusterDns): ResolvConf {
  const { nameservers, searches, options } = basis(pod, cluster);
  const own = pod.dnsConfig;
  if (own === undefined) return { nameservers: nameservers.slice(0, MAX_NAMESERVERS), searches, options };
  const more = own.nameservers.flatMap((text) => tryParseIpAddress(text) ?? []);
  const all = new Map([...nameservers, ...more].map((address) => [formatIpAddress(address), address]));
  return {
    nameservers: [...all.values()].slice(0, MAX_NAMESERVERS),
    searches: unique([...searches, ...own.searches]).slice(0, MAX_SEARCHES),
    options: mergeOptions(options, own.options),
  };
}

/** The file, in the order in which the kubelet writes it. */
export function formatResolvConf({ nameservers, searches, options }: ResolvConf): string {
  const lines = [
    ...(searches.length > 0 ? [`search ${searches.join(' ')}`] : []),
    ...nameservers.map((address) => `nameserver ${formatIpAddress(address)}`),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** What the resolver makes of the options (res_init.c): bounds are the resolver's own. */
export interface ResolverOptions {
  readonly ndots: number;
  /** Seconds for the first server. */
  readonly timeout: number;
  readonly attempts: number;
  /** Ask for AAAA only when A has been answered. */
  readonly singleRequest: boolean;
  /** The same, from another port. */
  readonly singleRequestReopen: boolean;
  readonly useTcp: boolean;
}

/** Reads the options of `conf`; unknown ones are passed over, as the resolver does. */
export function resolverOptions({ options }: ResolvConf): ResolverOptions {
  const values = new Map(
    options.map((option) => [nameOf(option), Number(option.slice(nameOf(option).length + 1))]),
  );
  const bounded = (name: string, fallback: number, max: number) => {
    const value = values.get(name);
    return value === undefined || !Number.isInteger(value) || value < 0 ? fallback : Math.min(value, max);
  };
  return {
    ndots: bounded('ndots', 1, 15),
    timeout: bounded('timeout', 5, 30) || 1,
    attempts: bounded('attempts', 2, 5) || 1,
    singleRequest: values.has('single-request'),
    singleRequestReopen: values.has('single-request-reopen'),
    useTcp: values.has('use-vc'),
  };
}

/** The addresses of `all` that somebody with addresses of `families` can ask. */
export function reachable(all: readonly IpAddress[], own: readonly IpAddress[]): IpAddress[] {
  const families = new Set(own.map(familyOf));
  return all.filter((address) => families.has(familyOf(address)));
}
