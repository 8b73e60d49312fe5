/** Why a packet was dropped by a pod's chain, in the words of the policies. */
import { formatIpAddress, type IpAddress, sameAddress } from '../../wire/ip-address.ts';
import { blockHolds } from './peer-pods.ts';
import {
  type PolicyDirection,
  type PolicyPod,
  type PolicyPort,
  type PolicyRule,
  policyName,
  rulesOf,
} from './policy.ts';
import { POLICY_DIRECTIONS, type PolicyIndex } from './policy-index.ts';

/** The packet as the pod's chain saw it: after destination NAT. */
export interface PolicyPacket {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** `TCP`, `UDP`, `SCTP`, or what else the protocol is called. */
  readonly protocol: string;
  /** Absent: a protocol without ports. */
  readonly port?: number;
}

/** A rule that nearly allowed the packet. */
export interface NearMiss {
  /** `default/db-from-web ingress[0]` */
  readonly rule: string;
  /** Which half of it did not hold. */
  readonly refused: 'ports' | 'peers';
}

export interface PolicyDrop {
  readonly direction: PolicyDirection;
  /** `NAMESPACE/NAME` of the isolated pod. */
  readonly pod: string;
  /** `NAMESPACE/NAME` of every policy that isolates it. */
  readonly policies: readonly string[];
  readonly nearMisses: readonly NearMiss[];
  /** One sentence without a full stop. */
  readonly sentence: string;
}

const nameOf = ({ namespace, name }: PolicyPod) => `${namespace}/${name}`;

function podAt(index: PolicyIndex, address: IpAddress): PolicyPod | undefined {
  return index.pods.find((pod) => pod.addresses.some((own) => sameAddress(own, address)));
}

function describeFar(index: PolicyIndex, address: IpAddress): string {
  const pod = podAt(index, address);
  const text = formatIpAddress(address);
  return pod === undefined ? `${text}, which is no pod's address,` : `pod ${nameOf(pod)} (${text})`;
}

function peersHold(index: PolicyIndex, { peers, policy }: PolicyRule, far: IpAddress): boolean {
  if (peers.length === 0) return true;
  return peers.some((peer) =>
    peer.ipBlock === undefined
      ? index.peers
          .chosenBy(peer, policy.metadata.namespace)
          .some((pod) => pod.addresses.some((own) => sameAddress(own, far)))
      : blockHolds(peer.ipBlock, far),
  );
}

function portHolds(
  { protocol, port, endPort }: PolicyPort,
  packet: PolicyPacket,
  server: PolicyPod | undefined,
) {
  if (protocol !== packet.protocol) return false;
  if (port === undefined) return true;
  if (packet.port === undefined) return false;
  if (typeof port === 'number') return packet.port >= port && packet.port <= (endPort ?? port);
  return (
    server?.ports.some(
      (declared) =>
        declared.name === port && declared.protocol === protocol && declared.containerPort === packet.port,
    ) ?? false
  );
}

function describePort({ protocol, port, endPort }: PolicyPort): string {
  if (port === undefined) return protocol;
  return endPort === undefined ? `${protocol} ${port}` : `${protocol} ${port}-${endPort}`;
}

function describeMiss(
  index: PolicyIndex,
  rule: PolicyRule,
  refused: NearMiss['refused'],
  far: IpAddress,
): string {
  const name = `${policyName(rule.policy)} ${rule.direction}[${rule.index}]`;
  if (refused === 'ports') return `${name} allows only ${rule.ports.map(describePort).join(', ')}`;
  const list = rule.direction === 'ingress' ? 'from' : 'to';
  return `${name} allows the port, but ${describeFar(index, far)} is none of its ${list}`;
}

function missesOf(
  index: PolicyIndex,
  rules: readonly PolicyRule[],
  direction: PolicyDirection,
  packet: PolicyPacket,
) {
  const far = direction === 'ingress' ? packet.source : packet.destination;
  const server = podAt(index, packet.destination);
  return rules.flatMap((rule) => {
    const peers = peersHold(index, rule, far);
    const ports = rule.ports.length === 0 || rule.ports.some((port) => portHolds(port, packet, server));
    if (peers === ports) return [];
    const refused: NearMiss['refused'] = peers ? 'ports' : 'peers';
    const miss: NearMiss = { rule: `${policyName(rule.policy)} ${direction}[${rule.index}]`, refused };
    return [{ miss, text: describeMiss(index, rule, refused, far) }];
  });
}

/**
 * What it means that `chain` dropped a packet: which policies isolate which pod, and with `packet` which of
 * their rules came close. Undefined when `chain` is no isolated pod's.
 */
export function explainPolicyDrop(
  index: PolicyIndex,
  chain: string,
  packet?: PolicyPacket,
): PolicyDrop | undefined {
  const owner = index.ownerOf(chain);
  if (owner === undefined) return undefined;
  const { pod, direction } = owner;
  const policies = index.isolating(pod, direction);
  if (policies.length === 0) return undefined;
  const rules = policies.flatMap((policy) => rulesOf(policy, direction));
  const misses = packet === undefined ? [] : missesOf(index, rules, direction, packet);
  const names = policies.map(policyName);
  const kind = names.length === 1 ? 'NetworkPolicy' : 'NetworkPolicies';
  const side = direction === 'ingress' ? 'to' : 'from';
  const none =
    rules.length === 0
      ? `which ${names.length === 1 ? 'allows' : 'allow'} no ${direction} at all`
      : `no rule of which allows it`;
  const hints = misses.length === 0 ? '' : `: ${misses.map(({ text }) => text).join('; ')}`;
  return {
    direction,
    pod: nameOf(pod),
    policies: names,
    nearMisses: misses.map(({ miss }) => miss),
    sentence: `${direction} ${side} pod ${nameOf(pod)} is isolated by ${kind} ${names.join(', ')}, ${none}${hints}`,
  };
}

/**
 * The element of a policy that let a packet through: what the comment of a matched rule of a pod's chain says
 * (`default/web ingress[0] from[1] ports[0]`). Undefined for rules that stand for no policy.
 */
export function allowingRule(index: PolicyIndex, chain: string, comment: string): string | undefined {
  const owner = index.ownerOf(chain);
  if (owner === undefined) return undefined;
  const cut = comment.lastIndexOf(': ');
  const [detail, subject] = [comment.slice(cut + 2), comment.slice(0, cut)];
  if (!POLICY_DIRECTIONS.some((direction) => detail.startsWith(`${direction}[`))) return undefined;
  return `${subject} ${detail}`;
}
