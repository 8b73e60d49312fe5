/**
 * The rules at the head of a chain that each ask for one exact destination, protocol and port and for nothing else:
 * for packets with these, the first of them decides where they go, so a dispatch table may take its place.
 */
import type { IpAddress } from '../../wire/ip-address.ts';
import { PROTOCOL } from '../../wire/protocol.ts';
import type { Chain, Rule } from '../rule-set.ts';
import type { Facts } from './leaf.ts';

/** The protocols of which rules name ports that a packet always has. */
const PORT_PROTOCOLS: ReadonlySet<number> = new Set([
  PROTOCOL.tcp,
  PROTOCOL.udp,
  PROTOCOL.sctp,
  PROTOCOL.udplite,
]);

const PROTOCOL_NUMBERS: ReadonlyMap<number, number> = new Map(
  [...PORT_PROTOCOLS].map((protocol, index) => [protocol, index]),
);

/** Whether a mask lets no bit aside. */
function isWhole(mask: IpAddress): boolean {
  if (typeof mask === 'number') return mask === 0xffffffff;
  return (mask.w0 & mask.w1 & mask.w2 & mask.w3) === -1;
}

/** The exact destination, protocol and port that `rule` asks for, and nothing else; undefined: more, or less. */
function exactFacts(rule: Rule): Facts | undefined {
  let destination: Facts['destination'] | undefined;
  let protocol: number | undefined;
  let dport: number | undefined;
  for (const match of rule.matches) {
    switch (match.kind) {
      case 'comment':
      case 'nfacct':
        break;
      case 'destination':
        if (match.negate || destination !== undefined) return undefined;
        if (!isWhole(match.mask)) return undefined;
        destination = match.address;
        break;
      case 'protocol':
        if (match.negate || match.protocol === 0) return undefined;
        protocol = match.protocol;
        break;
      case 'tcp':
      case 'udp':
      case 'sctp':
      case 'udplite': {
        const { dport: port, sport } = match;
        if (protocol !== PROTOCOL[match.kind] || port === undefined || sport !== undefined) return undefined;
        if (match.kind === 'tcp' && (match.flags ?? match.option) !== undefined) return undefined;
        if (port.negate || port.from !== port.to || dport !== undefined) return undefined;
        dport = port.from;
        break;
      }
      default:
        return undefined;
    }
  }
  if (destination === undefined || protocol === undefined || dport === undefined) return undefined;
  return PORT_PROTOCOLS.has(protocol) ? { destination, protocol, dport } : undefined;
}

/** Equal for equal facts. */
function factsKey({ destination, protocol, dport }: Facts): number | string {
  // The protocols with ports, told apart by two bits, leave room for the rest in a double.
  const ports = (PROTOCOL_NUMBERS.get(protocol) ?? 0) * 0x10000 + dport;
  if (typeof destination === 'number') return destination * 0x40000 + ports;
  return `${destination.w0} ${destination.w1} ${destination.w2} ${destination.w3} ${ports}`;
}

/** The chain that `chain` plainly jumps to first, if it does. */
export function firstJump({ rules: [first] }: Chain): string | undefined {
  if (first === undefined || !('chain' in first.target)) return undefined;
  return first.matches.every(({ kind }) => kind === 'comment') ? first.target.chain : undefined;
}

export interface LeadingRule {
  readonly rule: Rule;
  /** From 0. */
  readonly index: number;
  readonly facts: Facts;
}
export type LeadingRules = ReadonlyMap<number | string, LeadingRule>;

/** Chains are immutable: what was found out about one holds for good. */
const leadingRulesOf = new WeakMap<Chain, LeadingRules>();

/**
 * The first rule of each key in `chain`, up to the first rule that is not about an exact key: what comes
 * after that one may already be decided.
 */
export function leadingRules(chain: Chain): LeadingRules {
  const known = leadingRulesOf.get(chain);
  if (known !== undefined) return known;
  const rules = new Map<number | string, LeadingRule>();
  for (const [index, rule] of chain.rules.entries()) {
    const facts = exactFacts(rule);
    if (facts === undefined) break;
    const key = factsKey(facts);
    if (!rules.has(key)) rules.set(key, { rule, index, facts });
  }
  leadingRulesOf.set(chain, rules);
  return rules;
}

const leadingToOf = new WeakMap<Chain, ReadonlyMap<string, readonly LeadingRule[]>>();

/** The leading rules of `chain` by the chain that they jump to. */
export function leadingTo(chain: Chain): ReadonlyMap<string, readonly LeadingRule[]> {
  const known = leadingToOf.get(chain);
  if (known !== undefined) return known;
  const byTarget = new Map<string, LeadingRule[]>();
  for (const leading of leadingRules(chain).values()) {
    const { target } = leading.rule;
    if (!('chain' in target)) continue;
    const others = byTarget.get(target.chain);
    if (others === undefined) byTarget.set(target.chain, [leading]);
    else others.push(leading);
  }
  leadingToOf.set(chain, byTarget);
  return byTarget;
}
