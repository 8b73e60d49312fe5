/**
 * Chains that come down to a list of endpoints: perhaps a mark for some sources, then one of several DNATs with
 * nearly equal chances by `statistic` rules (or just one), perhaps another mark when the packet comes from the endpoint itself. That
 * is what every kube-proxy Service is; nothing here knows kube-proxy's names.
 *
 * A chain is only flattened for packets of which something is known: the exact fields of the rule that led
 * to it. What does not fit the form is not flattened, and then walked.
 */
import type { IpAddress } from '../../wire/ip-address.ts';
import { addressBits, familyOf, maskAddress, sameAddress } from '../../wire/ip-address.ts';
import { maskLength } from '../../wire/ip-prefix.ts';
import { PROTOCOL } from '../../wire/protocol.ts';
import type { Match } from '../match.ts';
import type { Chain, Rule } from '../rule-set.ts';
import type { NatTarget } from '../target.ts';
import { ONE } from './match-record.ts';

/** What is known of every packet that gets there. */
export interface Facts {
  readonly destination: IpAddress;
  readonly protocol: number;
  readonly dport: number;
}

/** `mark = (mark & keep) ^ flip` for packets whose source passes; no `source`: for all. */
export interface MarkStep {
  readonly keep: number;
  readonly flip: number;
  readonly source:
    | { readonly address: IpAddress; readonly mask: IpAddress; readonly negate: boolean }
    | undefined;
}

export interface LeafEndpoint {
  readonly address: IpAddress;
  readonly port: number;
  /** The rule that translates: its chain and its number from 1. */
  readonly chain: string;
  readonly number: number;
}

export interface Leaf {
  /** Before the choice. */
  readonly mark: MarkStep | undefined;
  /** For packets whose source is the endpoint that was chosen. */
  readonly hairpin: { readonly keep: number; readonly flip: number } | undefined;
  /** In the rules' order. */
  readonly endpoints: readonly LeafEndpoint[];
  /** Of each endpoint but the last, in units of 2^-31: that it is taken when those before were not. */
  readonly probabilities: readonly number[];
}

/** A leaf under construction: choices may still have steps of their own. */
interface Draft {
  readonly steps: MarkStep[];
  readonly choices: {
    readonly probability: number;
    readonly steps: MarkStep[];
    readonly endpoint: LeafEndpoint;
  }[];
}

type Source = NonNullable<MarkStep['source']>;

/** What is left of a rule's matches once the facts are used: `false` when no such packet matches. */
interface Conditions {
  readonly source: Source | undefined;
  readonly probability: number | undefined;
}

const PORTS_PROTOCOLS = {
  tcp: PROTOCOL.tcp,
  udp: PROTOCOL.udp,
  sctp: PROTOCOL.sctp,
  udplite: PROTOCOL.udplite,
};

/** Whether `match` holds for packets of these facts; undefined when that depends on more. */
function decide(match: Match, { destination, protocol, dport }: Facts): boolean | undefined {
  switch (match.kind) {
    case 'comment':
    case 'nfacct':
      return true;
    case 'destination':
      if (familyOf(match.mask) !== familyOf(destination)) return match.negate;
      return sameAddress(maskAddress(destination, match.mask), match.address) !== match.negate;
    case 'protocol':
      return (match.protocol === 0 || match.protocol === protocol) !== match.negate;
    case 'tcp':
    case 'udp':
    case 'sctp':
    case 'udplite': {
      if (protocol !== PORTS_PROTOCOLS[match.kind]) return false;
      const test = match.dport;
      if (test !== undefined && (dport >= test.from && dport <= test.to) === test.negate) return false;
      const more = match.sport ?? (match.kind === 'tcp' ? (match.flags ?? match.option) : undefined);
      return more === undefined ? true : undefined;
    }
    default:
      return undefined;
  }
}

/** What `rule` asks for beyond the facts; false when it cannot match, undefined when it is not of the form. */
function conditionsOf(rule: Rule, facts: Facts): Conditions | false | undefined {
  let source: Source | undefined;
  let probability: number | undefined;
  for (const match of rule.matches) {
    const known = decide(match, facts);
    if (known === false) return false;
    if (known === true) continue;
    if (
      match.kind === 'source' &&
      source === undefined &&
      familyOf(match.mask) === familyOf(facts.destination)
    ) {
      source = match;
    } else if (
      match.kind === 'statistic' &&
      match.mode === 'random' &&
      !match.negate &&
      probability === undefined
    ) {
      probability = match.probability;
    } else return undefined;
  }
  return { source, probability };
}

/** A chain with whatever `Follow` needs to know of it. */
interface Linked {
  readonly chain: Chain;
}

/** Where rule `index` (from 0) of a chain leads. */
export type Follow<C extends Linked> = (from: C, index: number) => C | undefined;

/** What a chain of nothing but marks does to packets of these facts; undefined when it does anything else. */
function marksOf(chain: Chain, facts: Facts): { readonly keep: number; readonly flip: number } | undefined {
  let keep = -1;
  let flip = 0;
  for (const rule of chain.rules) {
    const conditions = conditionsOf(rule, facts);
    if (conditions === false) continue;
    if (conditions === undefined || conditions.source !== undefined || conditions.probability !== undefined) {
      return undefined;
    }
    const { target } = rule;
    if (target.kind === 'none') continue;
    if (target.kind !== 'mark') return undefined;
    keep &= ~target.mask;
    flip = (flip & ~target.mask) ^ target.value;
  }
  return { keep, flip: flip | 0 };
}

/** A DNAT to exactly one address and port. */
function dnatEndpoint({
  range,
}: NatTarget): { readonly address: IpAddress; readonly port: number } | undefined {
  const { addresses, ports } = range;
  if (addresses === undefined || ports === undefined || ports.base !== undefined) return undefined;
  if (!sameAddress(addresses.from, addresses.to) || ports.from !== ports.to) return undefined;
  return { address: addresses.from, port: ports.from };
}

interface Place<C extends Linked> {
  readonly facts: Facts;
  readonly follow: Follow<C>;
}

const MAX_DEPTH = 16;

/** `depth` counts the jumps: long ways are no leaves. */
function draftOf<C extends Linked>(linked: C, place: Place<C>, depth: number): Draft | undefined {
  const { facts, follow } = place;
  const { chain } = linked;
  if (depth > MAX_DEPTH) return undefined;
  const draft: Draft = { steps: [], choices: [] };
  for (const [index, rule] of chain.rules.entries()) {
    const conditions = conditionsOf(rule, facts);
    if (conditions === undefined) return undefined;
    if (conditions === false) continue;
    const { source, probability } = conditions;
    const { target } = rule;
    if (target.kind === 'none') {
      // A draw that decides nothing still is one of the chain's draws: leave such chains alone.
      if (probability !== undefined) return undefined;
      continue;
    }
    if (target.kind === 'mark') {
      if (probability !== undefined || draft.choices.length > 0) return undefined;
      draft.steps.push({ keep: ~target.mask, flip: target.value | 0, source });
      continue;
    }
    if (target.kind === 'dnat') {
      const to = dnatEndpoint(target);
      if (to === undefined || source !== undefined) return undefined;
      const endpoint = { ...to, chain: chain.name, number: index + 1 };
      draft.choices.push({ probability: probability ?? ONE, steps: [], endpoint });
      if (probability === undefined) return draft;
      continue;
    }
    if (target.kind !== 'jump' && target.kind !== 'goto') return undefined;
    const next = follow(linked, index);
    if (next === undefined) return undefined;
    const marks = target.kind === 'jump' ? marksOf(next.chain, facts) : undefined;
    if (marks !== undefined) {
      if (probability !== undefined || draft.choices.length > 0) return undefined;
      draft.steps.push({ ...marks, source });
      continue;
    }
    if (source !== undefined) return undefined;
    const sub = draftOf(next, place, depth + 1);
    if (sub === undefined) return undefined;
    if (probability === undefined && draft.choices.length === 0) {
      return { steps: [...draft.steps, ...sub.steps], choices: sub.choices };
    }
    const [only, ...others] = sub.choices;
    if (only === undefined || others.length > 0) return undefined;
    const steps = [...sub.steps, ...only.steps];
    draft.choices.push({ probability: probability ?? ONE, steps, endpoint: only.endpoint });
    if (probability === undefined) return draft;
  }
  // It can be fallen out of.
  return undefined;
}

function isHairpin({ source }: MarkStep, endpoint: LeafEndpoint): boolean {
  if (source === undefined || source.negate || !sameAddress(source.address, endpoint.address)) return false;
  return maskLength(source.mask) === addressBits(familyOf(source.address));
}

/**
 * Whether a draw times the number of choices is the choice or next to it: no threshold is further from its
 * place among equal chances than half a share. Certain and impossible choices are none.
 */
function isEven(probabilities: readonly number[]): boolean {
  const share = 1 / (probabilities.length + 1);
  let left = 1;
  return probabilities.every((probability, index) => {
    left *= (ONE - probability) / ONE;
    const distance = Math.abs(1 - left - (index + 1) * share);
    return probability > 0 && probability < ONE && distance < share / 2;
  });
}

/**
 * A chain as a leaf for packets of `facts` that have drawn nothing yet; undefined when it is not of the form.
 * The facts' protocol has ports.
 */
export function flattenChain<C extends Linked>(linked: C, facts: Facts, follow: Follow<C>): Leaf | undefined {
  const draft = draftOf(linked, { facts, follow }, 0);
  const first = draft?.choices[0];
  if (draft === undefined || first === undefined) return undefined;
  const steps = [...draft.steps];
  if (draft.choices.length === 1) {
    const own = steps.at(-1);
    if (own !== undefined && first.steps.length === 0 && isHairpin(own, first.endpoint)) {
      steps.pop();
      first.steps.push(own);
    }
  }
  const hairpin = first.steps[0];
  for (const { steps: own, endpoint } of draft.choices) {
    const [step, ...more] = own;
    if (more.length > 0 || step?.keep !== hairpin?.keep || step?.flip !== hairpin?.flip) return undefined;
    if (step !== undefined && !isHairpin(step, endpoint)) return undefined;
  }
  const [mark, ...more] = steps;
  const probabilities = draft.choices.slice(0, -1).map(({ probability }) => probability);
  if (more.length > 0 || !isEven(probabilities)) return undefined;
  return {
    mark,
    hairpin: hairpin && { keep: hairpin.keep, flip: hairpin.flip },
    endpoints: draft.choices.map(({ endpoint }) => endpoint),
    probabilities,
  };
}
