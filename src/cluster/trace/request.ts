/** From the words of the command line to the first packet: who sends it, to which address and port. */
import type { Service, ServicePort } from '../../kube/objects.ts';
import { tryParseSloppyIp } from '../../kube/sloppy-address.ts';
import { InputError } from '../../sim/input-error.ts';
import {
  familyOf,
  formatIpAddress,
  type IpAddress,
  type IpFamily,
  sameAddress,
} from '../../wire/ip-address.ts';
import { NO_BYTES, type Packet, type Transport } from '../../wire/packet.ts';
import { TCP_FLAG } from '../../wire/protocol.ts';
import { sctpInitChunk } from '../../wire/sctp-init.ts';
import type { ClusterObjects } from '../derive.ts';
import type { HostPlan } from '../network/host-plan.ts';
import type { NetworkPlan } from '../network/network-plan.ts';
import { nodeAddresses } from '../network/plan-nodes.ts';
import { outerAddresses } from '../network/plan-outside.ts';
import type { PortWord, Who } from './who.ts';

export type TraceProtocol = 'tcp' | 'udp' | 'sctp' | 'icmp';

export interface TraceOptions {
  readonly from: Who;
  readonly to: Who;
  /** By default that of the Service's port, else tcp. */
  readonly protocol?: TraceProtocol;
  readonly sport: number;
  /** By default IPv4 where both ends have it. */
  readonly family?: IpFamily;
}

export interface TraceRequest {
  /** The label of the host that sends. */
  readonly from: string;
  readonly packet: Packet;
  /** `svc/default/web port http`, for people. */
  readonly destination: string;
}

interface Target {
  readonly addresses: readonly IpAddress[];
  readonly port: number;
  readonly protocol?: TraceProtocol;
  readonly destination: string;
}

/** The addresses that a trace brings along without their being described in any file. */
export function strangersOf(...ends: readonly Who[]): IpAddress[] {
  return ends.flatMap((who) => (who.kind === 'external' ? [who.address] : []));
}

const DEFAULT_PORT = 80;

function numericPort(port: PortWord | undefined, fallback: number, of: string): number {
  if (port === undefined) return fallback;
  if (typeof port === 'number') return port;
  throw new InputError(`--to ${of}: port '${port}' is not a number; only Services and pods have named ports`);
}

/** At most this many names are listed in an error. */
const LISTED = 10;

function listNames(names: readonly string[]): string {
  if (names.length === 0) return 'there are none';
  const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : '';
  return `there are ${names.slice(0, LISTED).join(', ')}${more}`;
}

function planOf(plan: NetworkPlan, flag: string, who: Who): HostPlan {
  const label = labelOf(plan, flag, who);
  const found = plan.hosts.get(label);
  if (found !== undefined) return found;
  const kind = label.slice(0, label.indexOf('/') + 1);
  const names = [...plan.hosts.keys()].filter((name) => name.startsWith(kind));
  throw new InputError(`${flag} ${label}: no such ${who.kind}; ${listNames(names)}`);
}

/** The host that `who` stands for; a pod on the host network is its node. */
function labelOf(plan: NetworkPlan, flag: string, who: Who): string {
  switch (who.kind) {
    case 'pod': {
      const label = `pod/${who.namespace}/${who.name}`;
      const pod = plan.pods.find((candidate) => candidate.label === label);
      return pod?.hostNetwork ? `node/${pod.node}` : label;
    }
    case 'node':
    case 'host':
      return `${who.kind}/${who.name}`;
    case 'external': {
      const owner = [...plan.hosts.values()].find(
        ({ kind, ownAddresses }) =>
          kind === 'outside' && ownAddresses.some((own) => sameAddress(own, who.address)),
      );
      return owner?.label ?? `external/${formatIpAddress(who.address)}`;
    }
    case 'svc':
    case 'address':
      throw new InputError(`${flag}: a ${who.kind} is no host`);
  }
}

function findService({ services }: ClusterObjects, who: Extract<Who, { kind: 'pod' | 'svc' }>): Service {
  const found = services.find(
    ({ metadata }) => metadata.namespace === who.namespace && metadata.name === who.name,
  );
  if (found !== undefined) return found;
  const names = services.map(({ metadata }) => `svc/${metadata.namespace}/${metadata.name}`);
  throw new InputError(`--to svc/${who.namespace}/${who.name}: no such Service; ${listNames(names)}`);
}

function choosePort(service: Service, word: PortWord | undefined): ServicePort | number {
  const { ports } = service.spec;
  const [first] = ports;
  if (word === undefined) {
    if (first !== undefined) return first;
    throw new InputError(`--to: Service ${service.metadata.name} has no ports; expected svc/…:PORT`);
  }
  const found = ports.find(({ name, port }) => (typeof word === 'number' ? port === word : name === word));
  // A number that is none of its ports may be tried all the same: people do.
  if (found !== undefined || typeof word === 'number') return found ?? (word as number);
  const names = ports.map(({ name, port }) => (name === '' ? `${port}` : `${name} (${port})`)).join(', ');
  throw new InputError(
    `--to: Service ${service.metadata.name} has no port '${word}'; its ports are ${names}`,
  );
}

const TRACE_PROTOCOL: Readonly<Record<string, TraceProtocol>> = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' };

/** How somebody at `from` would call `service`: by its clusterIP inside, by an outer address outside. */
function serviceTarget(
  cluster: ClusterObjects,
  service: Service,
  word: PortWord | undefined,
  outside: boolean,
): Target {
  const chosen = choosePort(service, word);
  const { namespace, name } = service.metadata;
  const port = typeof chosen === 'number' ? chosen : chosen.port;
  const portName = typeof chosen === 'number' || chosen.name === '' ? `${port}` : chosen.name;
  const protocol = typeof chosen === 'number' ? undefined : TRACE_PROTOCOL[chosen.protocol];
  const common = {
    destination: `svc/${namespace}/${name} port ${portName}`,
    ...(protocol === undefined ? {} : { protocol }),
  };
  const clusterIps = service.spec.clusterIPs.flatMap((text) => tryParseSloppyIp(text) ?? []);
  if (!outside) {
    if (clusterIps.length > 0) return { ...common, addresses: clusterIps, port };
    throw new InputError(
      `--to svc/${namespace}/${name}: the Service has no clusterIP (${service.spec.clusterIP || service.spec.type}); name a pod instead`,
    );
  }
  const outer = outerAddresses(service);
  if (outer.length > 0) return { ...common, addresses: outer, port };
  const [node] = cluster.nodes;
  if (typeof chosen !== 'number' && chosen.nodePort !== 0 && node !== undefined) {
    const destination = `${common.destination}, by its nodePort on node/${node.metadata.name}`;
    return { ...common, destination, addresses: nodeAddresses(node), port: chosen.nodePort };
  }
  return { ...common, addresses: clusterIps, port };
}

function podPort(plan: NetworkPlan, who: Extract<Who, { kind: 'pod' | 'svc' }>): number {
  const pod = plan.pods.find(({ namespace, name }) => namespace === who.namespace && name === who.name);
  const [first] = pod?.ports ?? [];
  if (typeof who.port === 'number') return who.port;
  if (who.port === undefined) return first?.containerPort ?? DEFAULT_PORT;
  const named = pod?.ports.find(({ name }) => name === who.port);
  if (named !== undefined) return named.containerPort;
  throw new InputError(`--to pod/${who.namespace}/${who.name}: no container port is named '${who.port}'`);
}

function targetOf(plan: NetworkPlan, to: Who, source: HostPlan): Target {
  switch (to.kind) {
    case 'svc': {
      const outside = source.kind === 'outside';
      return serviceTarget(plan.cluster, findService(plan.cluster, to), to.port, outside);
    }
    case 'address': {
      const port = numericPort(to.port, DEFAULT_PORT, formatIpAddress(to.address));
      return { addresses: [to.address], port, destination: 'an address' };
    }
    case 'pod': {
      const host = planOf(plan, '--to', to);
      const destination = `pod/${to.namespace}/${to.name}`;
      return { addresses: host.ownAddresses, port: podPort(plan, to), destination };
    }
    case 'node':
    case 'host':
    case 'external': {
      const host = planOf(plan, '--to', to);
      return {
        addresses: host.ownAddresses,
        port: numericPort(to.port, DEFAULT_PORT, host.label),
        destination: host.label,
      };
    }
  }
}

/** The first pair of addresses of one family, IPv4 before IPv6. */
function addressPair(source: HostPlan, target: Target, asked: IpFamily | undefined): [IpAddress, IpAddress] {
  for (const family of asked === undefined ? (['ipv4', 'ipv6'] as const) : [asked]) {
    const src = source.ownAddresses.find((address) => familyOf(address) === family);
    const dst = target.addresses.find((address) => familyOf(address) === family);
    if (src !== undefined && dst !== undefined) return [src, dst];
  }
  throw new InputError(
    `${source.label} and ${target.destination} have no address of the same family${asked === undefined ? '' : ` ${asked}`}`,
  );
}

const CLIENT_ISN = 1_000;
const CLIENT_TAG = 1;
const WINDOW = 64_240;
const ECHO_REQUEST: Readonly<Record<IpFamily, number>> = { ipv4: 8, ipv6: 128 };

function firstTransport(protocol: TraceProtocol, sport: number, dport: number, family: IpFamily): Transport {
  switch (protocol) {
    case 'tcp':
      return {
        kind: 'tcp',
        sport,
        dport,
        seq: CLIENT_ISN,
        ack: 0,
        flags: TCP_FLAG.SYN,
        window: WINDOW,
        options: NO_BYTES,
        data: NO_BYTES,
      };
    case 'udp':
      return { kind: 'udp', sport, dport, data: NO_BYTES };
    case 'sctp':
      return { kind: 'sctp', sport, dport, verificationTag: 0, data: sctpInitChunk('init', CLIENT_TAG) };
    case 'icmp':
      return { kind: 'icmp', type: ECHO_REQUEST[family], code: 0, id: sport, sequence: 1, data: NO_BYTES };
  }
}

/** Builds the first packet. Throws InputError for ends that do not exist or cannot talk to each other. */
export function buildRequest(plan: NetworkPlan, options: TraceOptions): TraceRequest {
  const source = planOf(plan, '--from', options.from);
  const target = targetOf(plan, options.to, source);
  const [src, dst] = addressPair(source, target, options.family);
  const protocol = options.protocol ?? target.protocol ?? 'tcp';
  return {
    from: source.label,
    destination: target.destination,
    packet: {
      src,
      dst,
      ttl: 64,
      tos: 0,
      id: 0,
      dontFragment: protocol === 'tcp',
      transport: firstTransport(protocol, options.sport, target.port, familyOf(dst)),
    },
  };
}
