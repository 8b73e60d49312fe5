/** A rule set made ready to run: chains linked to the chains they jump to, and facts the engine asks for. */
import type { IpFamily } from '../wire/ip-address.ts';
import type { Match } from './match.ts';
import type { Rule, RuleSet, TableName } from './rule-set.ts';
import type { Target } from './target.ts';

export interface LoadedRule {
  readonly rule: Rule;
  /** From 1. */
  readonly number: number;
  readonly chain: LoadedChain;
  /** Where a jump or goto leads. */
  readonly next: LoadedChain | undefined;
}

export interface LoadedChain {
  readonly table: TableName;
  readonly name: string;
  /** Built-in chains only. */
  readonly policy: 'ACCEPT' | 'DROP' | undefined;
  readonly rules: readonly LoadedRule[];
}

export type LoadedTable = ReadonlyMap<string, LoadedChain>;

export interface LoadedRules {
  readonly family: IpFamily;
  readonly tables: ReadonlyMap<TableName, LoadedTable>;
  /** Some rule needs connection tracking, so it is on; without one the kernel does not track at all. */
  readonly tracksConnections: boolean;
}

const TRACKING_MATCHES: ReadonlySet<Match['kind']> = new Set(['conntrack', 'state', 'connmark', 'connlimit']);
const TRACKING_TARGETS: ReadonlySet<Target['kind']> = new Set([
  'connmark',
  'dnat',
  'snat',
  'masquerade',
  'redirect',
]);

/** Extensions that the engine does not know, but of which it knows that they bring tracking along. */
const TRACKING_UNKNOWN_MATCHES: ReadonlySet<string> = new Set([
  'connbytes',
  'connlabel',
  'helper',
  'cluster',
]);
const TRACKING_UNKNOWN_TARGETS: ReadonlySet<string> = new Set(['CONNSECMARK', 'NETMAP', 'SYNPROXY']);

/** Whether the mere presence of `rule` turns connection tracking on in its namespace. */
function needsTracking(rule: Rule): boolean {
  if (TRACKING_TARGETS.has(rule.target.kind)) return true;
  if (rule.target.kind === 'ct' && !rule.target.notrack) return true;
  if (rule.target.kind === 'unknown' && TRACKING_UNKNOWN_TARGETS.has(rule.target.name)) return true;
  return rule.matches.some((match) =>
    match.kind === 'unknown' ? TRACKING_UNKNOWN_MATCHES.has(match.name) : TRACKING_MATCHES.has(match.kind),
  );
}

/**
 * Links `ruleSet`. Throws RangeError when a rule jumps to a chain that its table lacks: the reader of rule
 * text refuses such files, so this is a caller's mistake.
 */
export function loadRules(ruleSet: RuleSet): LoadedRules {
  let tracksConnections = false;
  const tables = new Map<TableName, LoadedTable>();
  for (const table of ruleSet.tables.values()) {
    const chains = new Map<string, { -readonly [K in keyof LoadedChain]: LoadedChain[K] }>();
    for (const { name, policy } of table.chains.values()) {
      chains.set(name, { table: table.name, name, policy, rules: [] });
    }
    for (const [name, chain] of chains) {
      chain.rules = (table.chains.get(name)?.rules ?? []).map((rule, index) => {
        tracksConnections ||= needsTracking(rule);
        const { target } = rule;
        let next: LoadedChain | undefined;
        if (target.kind === 'jump' || target.kind === 'goto') {
          next = chains.get(target.chain);
          if (next === undefined) throw new RangeError(`table ${table.name} has no chain ${target.chain}`);
        }
        return { rule, number: index + 1, chain, next };
      });
    }
    tables.set(table.name, chains);
  }
  return { family: ruleSet.family, tables, tracksConnections };
}

/** The rules of a host on which nobody programmed anything. */
export function noRules(family: IpFamily): LoadedRules {
  return { family, tables: new Map(), tracksConnections: false };
}
