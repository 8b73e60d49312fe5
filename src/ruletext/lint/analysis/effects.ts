/**
 * What passing through rules does to a packet that comes out again, and from which chains one may come out:
 * enough to know whether two rules of a chain see the same packet, and which rules nothing gets past.
 */
import type { Match } from '../../../netfilter/match.ts';
import type { Rule } from '../../../netfilter/rule-set.ts';
import type { Target } from '../../../netfilter/target.ts';
import type { CheckedChain, CheckedTable } from '../restore/tables-in-hand.ts';
import type { ChainGraph } from './chain-graph.ts';
import { chainsBottomUp } from './chain-order.ts';
import { isAlwaysTrue, isSteady } from './implies.ts';

/** What of a packet, its flow or the host a rule may change and a match may look at; combined by `|`. */
export const FIELD = {
  mark: 1,
  connmark: 2,
  tos: 4,
  ttl: 8,
  conntrack: 16,
  sets: 32,
  tcpOptions: 64,
} as const;
const EVERYTHING = 0x7f;
/** Not a field: passing twice is not the same as passing once. */
export const NOT_REPEATABLE = 128;

/** Targets kept as text whose packets go on unchanged, as far as matches can tell. */
const HARMLESS: ReadonlySet<string> = new Set([
  ...['CLASSIFY', 'IDLETIMER', 'LED', 'RATEEST', 'TEE', 'ULOG', 'SYNPROXY'],
]);

/** Targets kept as text that no packet gets past. */
const FINAL: ReadonlySet<string> = new Set(['NETMAP', 'NFQUEUE', 'QUEUE', 'TPROXY']);

/** The fields that the answer of `match` depends on, besides the packet's headers that no rule changes. */
export function fieldsRead(match: Match): number {
  switch (match.kind) {
    case 'mark':
      return FIELD.mark;
    case 'connmark':
      return FIELD.connmark | FIELD.conntrack;
    case 'tos':
    case 'dscp':
      return FIELD.tos;
    case 'ttl':
    case 'hl':
      return FIELD.ttl;
    case 'conntrack':
    case 'state':
      return FIELD.conntrack;
    case 'set':
      return FIELD.sets | FIELD.mark;
    case 'tcp':
      return match.option === undefined ? 0 : FIELD.tcpOptions;
    case 'unknown':
      return EVERYTHING;
    default:
      return 0;
  }
}

/** What `target` itself may change, a jump's chain not counted. */
function targetEffects(target: Target): number {
  switch (target.kind) {
    case 'mark':
      return FIELD.mark | ((target.value & ~target.mask) === 0 ? 0 : NOT_REPEATABLE);
    case 'connmark':
      if (target.op === 'restore') return FIELD.mark | NOT_REPEATABLE;
      return FIELD.connmark | NOT_REPEATABLE;
    case 'tos':
    case 'dscp':
      return FIELD.tos;
    case 'ttl':
    case 'hl':
      return FIELD.ttl | (target.op === 'set' ? 0 : NOT_REPEATABLE);
    case 'ct':
    case 'notrack':
      return FIELD.conntrack;
    case 'tcpmss':
      return FIELD.tcpOptions;
    case 'unknown':
      if (target.name === 'SET') return FIELD.sets | FIELD.mark | NOT_REPEATABLE;
      return HARMLESS.has(target.name) ? 0 : EVERYTHING | NOT_REPEATABLE;
    default:
      return 0;
  }
}

/** What is known of a chain. */
interface ChainEffects {
  /** A packet may come back from it to where it was jumped to from. */
  readonly mayReturn: boolean;
  /** What it may change on the way. */
  readonly changes: number;
}

const UNKNOWN_CHAIN: ChainEffects = { mayReturn: true, changes: EVERYTHING | NOT_REPEATABLE };

/** Every packet matches `rule`. */
export function matchesAll(rule: Rule): boolean {
  return rule.matches.every(isAlwaysTrue);
}

export class TableEffects {
  readonly #chains = new Map<string, ChainEffects>();

  constructor(table: CheckedTable, graph: ChainGraph) {
    // From the leaves up, so that what a jump leads to is known; in a circle the last one is taken for anything.
    for (const chain of chainsBottomUp(table, graph)) this.#chains.set(chain.name, this.#chainEffects(chain));
  }

  #chain(name: string): ChainEffects {
    return this.#chains.get(name) ?? UNKNOWN_CHAIN;
  }

  /** No packet that matches `rule` comes to the next rule of its chain. */
  isFinal({ target }: Rule): boolean {
    switch (target.kind) {
      case 'accept':
      case 'drop':
      case 'reject':
      case 'return':
      case 'goto':
      case 'snat':
      case 'dnat':
      case 'masquerade':
      case 'redirect':
        return true;
      case 'jump':
        return !this.#chain(target.chain).mayReturn;
      case 'unknown':
        return FINAL.has(target.name);
      default:
        return false;
    }
  }

  /** What `rule` may change of a packet that goes on to the next rule. */
  changes({ target, matches }: Rule): number {
    const own = target.kind === 'jump' ? this.#chain(target.chain).changes : targetEffects(target);
    return matches.every(isSteady) ? own : own | NOT_REPEATABLE;
  }

  #chainEffects(chain: CheckedChain): ChainEffects {
    // Programs make empty chains to fill them later, so that what one will do is not known.
    if (chain.rules.length === 0) return UNKNOWN_CHAIN;
    let changes = 0;
    let mayReturn = false;
    for (const { rule } of chain.rules) {
      const { target } = rule;
      changes |= this.changes(rule);
      if (target.kind === 'goto') changes |= this.#chain(target.chain).changes;
      if (target.kind === 'return') mayReturn = true;
      if (target.kind === 'goto') mayReturn ||= this.#chain(target.chain).mayReturn;
      if (matchesAll(rule) && this.isFinal(rule)) return { mayReturn, changes };
    }
    return { mayReturn: true, changes };
  }
}
