/**
 * A small cluster whose nodes hold the rules of its NetworkPolicies: whether the packet that opens a connection
 * arrives is found out by sending it through the hosts on its way.
 */

import type { Policy, PolicyNamespace, PolicyPod, PolicyProtocol } from '../../src/cni/policy/policy.ts';
import { PolicyIndex } from '../../src/cni/policy/policy-index.ts';
import { SeededChoices } from '../../src/netfilter/choices.ts';
import { Netfilter } from '../../src/netfilter/netfilter.ts';
import { AddressBook } from '../../src/netstack/addressing.ts';
import { DEFAULT_DEVICE_SYSCTLS, type Device, LOOPBACK } from '../../src/netstack/device.ts';
import { Host, type Passage } from '../../src/netstack/host.ts';
import type { Route } from '../../src/netstack/route-table.ts';
import { mergeRuleSets } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { Clock } from '../../src/sim/clock.ts';
import { Random } from '../../src/sim/random.ts';
import { familyOf, type IpAddress, type IpFamily, parseIpAddress } from '../../src/wire/ip-address.ts';
import { hostPrefix, type IpPrefix, parseIpPrefix } from '../../src/wire/ip-prefix.ts';
import { NO_BYTES, type Packet, type Transport } from '../../src/wire/packet.ts';
import { TCP_FLAG } from '../../src/wire/protocol.ts';
import { sctpInitChunk } from '../../src/wire/sctp-init.ts';

export interface WorldNode {
  readonly name: string;
  readonly addresses: readonly IpAddress[];
  readonly podCIDRs: readonly IpPrefix[];
}

export const NODES: readonly WorldNode[] = ['n1', 'n2', 'n3'].map((name, index) => ({
  name,
  addresses: [parseIpAddress(`172.18.0.${index + 2}`), parseIpAddress(`fd18::${index + 2}`)],
  podCIDRs: [parseIpPrefix(`10.244.${index + 1}.0/24`), parseIpPrefix(`fd00:10:244:${index + 1}::/64`)],
}));

/** One end of a connection. */
export type End =
  | { readonly kind: 'pod'; readonly pod: PolicyPod }
  | { readonly kind: 'node'; readonly node: WorldNode }
  | { readonly kind: 'outside'; readonly addresses: readonly IpAddress[] };

export interface Attempt {
  readonly from: End;
  readonly to: End;
  readonly family: IpFamily;
  readonly protocol: PolicyProtocol;
  readonly port: number;
  /** By default 40000. */
  readonly sport?: number;
}

export function addressOf(end: End, family: IpFamily): IpAddress | undefined {
  const all =
    end.kind === 'pod' ? end.pod.addresses : end.kind === 'node' ? end.node.addresses : end.addresses;
  return all.find((address) => familyOf(address) === family);
}

function openingTransport({ protocol, port: dport, sport = 40_000 }: Attempt): Transport {
  const ports = { sport, dport };
  if (protocol === 'UDP') return { kind: 'udp', ...ports, data: NO_BYTES };
  if (protocol === 'SCTP') {
    return { kind: 'sctp', ...ports, verificationTag: 0, data: sctpInitChunk('init', 1) };
  }
  const tcp = { seq: 1, ack: 0, flags: TCP_FLAG.SYN, window: 65_535, options: NO_BYTES, data: NO_BYTES };
  return { kind: 'tcp', ...ports, ...tcp };
}

export function openingPacket(attempt: Attempt): Packet | undefined {
  const { from, to, family } = attempt;
  const [src, dst] = [addressOf(from, family), addressOf(to, family)];
  if (src === undefined || dst === undefined) return undefined;
  const header = { src, dst, ttl: 64, tos: 0, id: 0, dontFragment: family === 'ipv4' };
  return { ...header, transport: openingTransport(attempt) };
}

/** Everything of the family: what an outside host is behind. */
const everything = (family: IpFamily): IpPrefix =>
  family === 'ipv4' ? parseIpPrefix('0.0.0.0/0') : parseIpPrefix('::/0');

/** The pods of `node` that have devices, in the order of their devices' names. */
export function guestsOf(node: WorldNode, pods: readonly PolicyPod[]): readonly PolicyPod[] {
  return pods.filter((pod) => pod.node === node.name && !pod.hostNetwork);
}

/** A node: its uplink, a veth for each pod, everything else by the uplink. */
export function nodeDevices(
  node: WorldNode,
  pods: readonly PolicyPod[],
): { readonly devices: readonly Device[]; readonly routes: readonly Route[] } {
  const guests = guestsOf(node, pods);
  const device = (name: string, own: readonly IpAddress[] = []): Device => ({
    ...DEFAULT_DEVICE_SYSCTLS,
    name,
    addresses: own.map((address) => ({ address, length: familyOf(address) === 'ipv4' ? 16 : 64 })),
  });
  const route = (prefix: IpPrefix, name: string): Route => ({
    type: 'unicast',
    prefix,
    device: name,
    metric: 0,
  });
  return {
    devices: [device('eth0', node.addresses), ...guests.map((_, index) => device(`veth${index}`))],
    routes: [
      ...guests.flatMap((pod, index) =>
        pod.addresses.map((address) => route(hostPrefix(address), `veth${index}`)),
      ),
      route(everything('ipv4'), 'eth0'),
      route(everything('ipv6'), 'eth0'),
    ],
  };
}

export class World {
  readonly index: PolicyIndex;
  readonly #pods: readonly PolicyPod[];
  readonly #hosts = new Map<string, Host>();
  /** Rules loaded before the policies', as another program's. */
  readonly #before: Readonly<Record<IpFamily, string>>;

  constructor(
    input: {
      pods: readonly PolicyPod[];
      namespaces: readonly PolicyNamespace[];
      policies: readonly Policy[];
    },
    before: Readonly<Record<IpFamily, string>> = { ipv4: '', ipv6: '' },
  ) {
    this.index = new PolicyIndex(input);
    this.#pods = input.pods;
    this.#before = before;
  }

  host(node: WorldNode): Host {
    const known = this.#hosts.get(node.name);
    if (known !== undefined) return known;
    const { devices, routes } = nodeDevices(node, this.#pods);
    const addresses = new AddressBook([LOOPBACK, ...devices], routes);
    const netfilter = new Netfilter({
      clock: new Clock(),
      choices: new SeededChoices(new Random(1)),
      host: addresses,
    });
    const sets = new Map();
    for (const family of ['ipv4', 'ipv6'] as const) {
      const texts = [this.#before[family], this.index.nodeRules(node.name, family).rules].filter(
        (t) => t !== '',
      );
      if (texts.length > 0) netfilter.load(mergeRuleSets(texts.map((text) => parseRules(text, { family }))));
      for (const [name, set] of this.index.loadedSets(node.name, family)) sets.set(name, set);
    }
    netfilter.loadSets(sets);
    const host = new Host({ addresses, netfilter });
    this.#hosts.set(node.name, host);
    return host;
  }

  nodeOf(end: End): WorldNode | undefined {
    if (end.kind === 'outside') return undefined;
    if (end.kind === 'node') return end.node;
    return NODES.find(({ name }) => name === end.pod.node);
  }

  #receive(node: WorldNode, packet: Packet, name: string): Passage {
    const host = this.host(node);
    const device = host.addresses.devices.get(name);
    if (device === undefined) throw new Error(`${node.name} has no ${name}`);
    return host.receive(packet, device);
  }

  /** `arrives`, or the node that dropped the packet. */
  attempt(attempt: Attempt): string {
    const packet = openingPacket(attempt);
    if (packet === undefined) return 'no address';
    const [start, end] = [this.nodeOf(attempt.from), this.nodeOf(attempt.to)];
    const made =
      attempt.from.kind === 'node' || (attempt.from.kind === 'pod' && attempt.from.pod.hostNetwork);
    let here = start;
    let device = 'eth0';
    let sent = packet;
    if (here !== undefined) {
      const guests = guestsOf(here, this.#pods);
      if (!made && attempt.from.kind === 'pod') device = `veth${guests.indexOf(attempt.from.pod)}`;
      const { fate, transmissions } = made ? this.host(here).send(sent) : this.#receive(here, sent, device);
      if (fate.kind === 'delivered') return 'arrives';
      const [out] = transmissions;
      if ((fate.kind !== 'forwarded' && fate.kind !== 'sent') || out === undefined)
        return `dropped on ${here.name}`;
      if (out.device !== 'eth0' || end === undefined) return 'arrives';
      sent = out.packet;
      device = 'eth0';
    }
    here = end;
    if (here === undefined) return 'arrives';
    const { fate } = this.#receive(here, sent, 'eth0');
    return fate.kind === 'forwarded' || fate.kind === 'delivered' ? 'arrives' : `dropped on ${here.name}`;
  }
}
