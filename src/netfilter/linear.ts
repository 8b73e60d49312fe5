/**
 * The linear engine: rules one after another, exactly as ipt_do_table walks them. It is the readable
 * reference that every faster engine is checked against.
 */
import { ipLength } from '../wire/headers.ts';
import type { RuleCounters } from './counters.ts';
import type { RuleEffect, TraceSink } from './events.ts';
import type { LoadedChain, LoadedRule } from './loaded-rules.ts';
import type { Match } from './match.ts';
import type { MatchEnvironment, MatchResult } from './matching/environment.ts';
import { evaluateMatch } from './matching/evaluate.ts';
import type { RuleFinder } from './rule-finder.ts';
import type { Skb } from './skb.ts';
import { applyTarget, type TargetEnvironment } from './targets.ts';
import { ACCEPT, type HookVerdict } from './verdict.ts';

export interface Traversal extends MatchEnvironment, TargetEnvironment {
  readonly counters: RuleCounters;
  readonly finder: RuleFinder;
  readonly trace: TraceSink | undefined;
}

/** Where a chain resumes after the chain it jumped to ends. */
interface ReturnPoint {
  readonly chain: LoadedChain;
  readonly index: number;
}

/** The name under which iptables knows a match's module. */
function moduleOf(match: Match): string {
  return match.kind === 'unknown' ? match.name : match.kind;
}

/** All matches of a rule, left to right until one fails; names the match when the engine cannot tell. */
function matchRule(
  rule: LoadedRule,
  skb: Skb,
  run: Traversal,
): MatchResult | { readonly unsupported: string } {
  for (const match of rule.rule.matches) {
    const result = evaluateMatch(match, skb, run);
    if (result === 'unsupported') return { unsupported: `unsupported: -m ${moduleOf(match)}` };
    if (result !== true) return result;
  }
  return true;
}

function policyOf(chain: LoadedChain, run: Traversal, bytes: number): HookVerdict {
  const policy = chain.policy ?? 'ACCEPT';
  run.counters.count(chain, bytes);
  run.trace?.({ kind: 'policy', hook: run.hook, table: chain.table, chain: chain.name, policy });
  return policy === 'ACCEPT' ? ACCEPT : { kind: 'drop', reason: 'policy' };
}

/** Walks the built-in chain `base` with `skb` until a verdict. */
export function traverse(base: LoadedChain, skb: Skb, run: Traversal): HookVerdict {
  const { hook, trace, counters } = run;
  const bytes = ipLength(skb.packet);
  const returns: ReturnPoint[] = [];
  let chain = base;
  let index = 0;
  const enter = (next: LoadedChain) => {
    chain = next;
    index = 0;
    trace?.({ kind: 'chain', hook, table: next.table, chain: next.name });
  };
  enter(base);
  for (;;) {
    index = run.finder.next(chain, index, skb);
    const rule = chain.rules[index];
    if (rule === undefined) {
      const back = returns.pop();
      if (back === undefined) return policyOf(base, run, bytes);
      ({ chain, index } = back);
      continue;
    }
    index++;
    const matched = matchRule(rule, skb, run);
    if (matched === false) continue;
    const report = (effect: RuleEffect) =>
      trace?.({
        kind: 'rule',
        hook,
        table: rule.chain.table,
        chain: rule.chain.name,
        number: rule.number,
        rule: rule.rule,
        effect,
      });
    if (matched === 'malformed') {
      report({ kind: 'drop' });
      return { kind: 'drop', reason: 'malformed' };
    }
    if (typeof matched === 'object') {
      report({ kind: 'unsupported', reason: matched.unsupported });
      return { kind: 'unknown', reason: matched.unsupported };
    }
    counters.count(rule, bytes);
    const { target } = rule.rule;
    if (rule.next !== undefined) {
      const goes = target.kind === 'goto' ? 'goto' : 'jump';
      report({ kind: goes, chain: rule.next.name });
      if (goes === 'jump') returns.push({ chain, index });
      enter(rule.next);
      continue;
    }
    if (target.kind === 'return') {
      report({ kind: 'return' });
      const back = returns.pop();
      if (back === undefined) return policyOf(base, run, bytes);
      ({ chain, index } = back);
      continue;
    }
    const { effect, verdict } = applyTarget(target, skb, run);
    report(effect);
    if (verdict !== undefined) return verdict;
  }
}
