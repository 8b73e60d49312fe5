/**
 * The chain of one pod in one direction: whatever a rule of its policies allows returns, everything else is
 * dropped. Returning, and not accepting, leaves the packet to the pod at its other end and to whoever else
 * has rules in FORWARD.
 */
import { formatAddress } from '../../ruletext/address-text.ts';
import { quote } from '../../ruletext/quoting.ts';
import { addressBits, familyOf, type IpFamily } from '../../wire/ip-address.ts';
import type { AddressSet, AddressSets } from './address-sets.ts';
import { commentText, podChain } from './names.ts';
import {
  type Policy,
  type PolicyDirection,
  type PolicyPeer,
  type PolicyPod,
  type PolicyPort,
  type PolicyRule,
  policyName,
  rulesOf,
} from './policy.ts';

export interface PodChain {
  readonly name: string;
  /** Lines `-A …`. */
  readonly rules: readonly string[];
  readonly sets: readonly AddressSet[];
}

/** A part of a rule's condition; `detail` names the element of the policy that it comes from. */
interface Condition {
  /** What stands before the protocol: `-s 10.0.0.0/8`. */
  readonly head?: string;
  readonly protocol?: string;
  /** `-m …` texts in their order. */
  readonly matches: readonly string[];
  readonly sets: readonly AddressSet[];
  readonly detail: string;
}

const ANYTHING: Condition = { matches: [], sets: [], detail: '' };

/** The other end of the connection, as the packet that opens it shows it. */
const FAR = { ingress: { flag: '-s', side: 'src' }, egress: { flag: '-d', side: 'dst' } } as const;

function blockCondition(
  block: NonNullable<PolicyPeer['ipBlock']>,
  rule: PolicyRule,
  sets: AddressSets,
): Omit<Condition, 'detail'> {
  const { flag, side } = FAR[rule.direction];
  if (block.except.length > 0) {
    const set = sets.ofBlock(block);
    return { matches: [`-m set --match-set ${set.name} ${side}`], sets: [set] };
  }
  const { address, length } = block.cidr;
  // iptables keeps no match for everything.
  const head = length === 0 ? {} : { head: `${flag} ${formatAddress(address)}/${length}` };
  return { ...head, matches: [], sets: [] };
}

/** The alternatives that the peers of `rule` come to in `family`. */
function peerConditions(rule: PolicyRule, family: IpFamily, sets: AddressSets): Condition[] {
  const { peers, direction } = rule;
  if (peers.length === 0) return [ANYTHING];
  const list = direction === 'ingress' ? 'from' : 'to';
  const conditions = peers.flatMap(({ ipBlock }, index): Condition[] => {
    if (ipBlock === undefined || familyOf(ipBlock.cidr.address) !== family) return [];
    return [{ ...blockCondition(ipBlock, rule, sets), detail: ` ${list}[${index}]` }];
  });
  if (peers.every(({ ipBlock }) => ipBlock !== undefined)) return conditions;
  const set = sets.ofPods(rule, family);
  const match = `-m set --match-set ${set.name} ${FAR[direction].side}`;
  return [{ matches: [match], sets: [set], detail: ` ${list}` }, ...conditions];
}

function portMatch(protocol: string, first: number, last = first): string {
  return `-m ${protocol} --dport ${first === last ? first : `${first}:${last}`}`;
}

/** What a port of an ingress rule comes to on `pod`: its own ports have the names. */
function ingressPort({ protocol, port, endPort }: PolicyPort, pod: PolicyPod): string[][] {
  const name = protocol.toLowerCase();
  if (port === undefined) return [[]];
  if (typeof port === 'number') return [[portMatch(name, port, endPort)]];
  return pod.ports
    .filter((declared) => declared.name === port && declared.protocol === protocol)
    .map(({ containerPort }) => [portMatch(name, containerPort)]);
}

function portConditions(rule: PolicyRule, pod: PolicyPod): Condition[] {
  if (rule.ports.length === 0) return [ANYTHING];
  return rule.ports.flatMap((port, index) => {
    // A name in an egress rule is the far end's: namedEgress.
    if (rule.direction === 'egress' && typeof port.port === 'string') return [];
    return ingressPort(port, pod).map(
      (matches): Condition => ({
        protocol: port.protocol.toLowerCase(),
        matches,
        sets: [],
        detail: ` ports[${index}]`,
      }),
    );
  });
}

/** Named ports of an egress rule: which number a name means depends on the pod that is connected to. */
function namedEgress(rule: PolicyRule, family: IpFamily, sets: AddressSets): Condition[] {
  if (rule.direction === 'ingress') return [];
  return rule.ports.flatMap(({ port, protocol }, index): Condition[] => {
    if (typeof port !== 'string') return [];
    const set = sets.ofNamedPort(rule, { name: port, protocol }, family);
    const matches = [`-m set --match-set ${set.name} dst,dst`];
    return [{ protocol: protocol.toLowerCase(), matches, sets: [set], detail: ` ports[${index}]` }];
  });
}

function both(peer: Condition, port: Condition): Condition {
  return {
    ...(peer.head === undefined ? {} : { head: peer.head }),
    ...(port.protocol === undefined ? {} : { protocol: port.protocol }),
    matches: [...peer.matches, ...port.matches],
    sets: [...peer.sets, ...port.sets],
    detail: peer.detail + port.detail,
  };
}

function conditionsOf(rule: PolicyRule, pod: PolicyPod, family: IpFamily, sets: AddressSets): Condition[] {
  const ports = portConditions(rule, pod);
  const crossed = peerConditions(rule, family, sets).flatMap((peer) => ports.map((port) => both(peer, port)));
  return [...crossed, ...namedEgress(rule, family, sets)];
}

function ruleLine(chain: string, condition: Condition, comment: string, target: string): string {
  const { head, protocol, matches } = condition;
  const words = ['-A', chain];
  if (head !== undefined) words.push(head);
  if (protocol !== undefined) words.push('-p', protocol);
  words.push('-m comment --comment', quote(comment), ...matches, '-j', target);
  return words.join(' ');
}

/** `-s 10.244.1.5/32` for each address of `pod` in `family`. */
export function ownAddresses(pod: PolicyPod, flag: '-s' | '-d', family: IpFamily): string[] {
  return pod.addresses
    .filter((address) => familyOf(address) === family)
    .map((address) => `${flag} ${formatAddress(address)}/${addressBits(family)}`);
}

/**
 * The chain of `pod` in `direction` and `family` under `policies`, which are those that isolate it there. A
 * pod always reaches itself (through a Service, say).
 */
export function writePodChain(
  pod: PolicyPod,
  policies: readonly Policy[],
  { direction, family, sets }: { direction: PolicyDirection; family: IpFamily; sets: AddressSets },
): PodChain {
  const name = podChain(direction, pod);
  const used = new Map<string, AddressSet>();
  const label = `pod ${pod.namespace}/${pod.name}`;
  const lines = ownAddresses(pod, FAR[direction].flag, family).map((head) =>
    ruleLine(name, { ...ANYTHING, head }, commentText(label, 'itself'), 'RETURN'),
  );
  for (const rule of policies.flatMap((policy) => rulesOf(policy, direction))) {
    for (const condition of conditionsOf(rule, pod, family, sets)) {
      for (const set of condition.sets) used.set(set.name, set);
      const detail = `${direction}[${rule.index}]${condition.detail}`;
      lines.push(ruleLine(name, condition, commentText(policyName(rule.policy), detail), 'RETURN'));
    }
  }
  const by = policies.map(policyName).join(', ');
  lines.push(ruleLine(name, ANYTHING, commentText(`${label} isolated by ${by}`, direction), 'DROP'));
  return { name, rules: lines, sets: [...used.values()] };
}
