/**
 * Rules that an earlier one of the chain leaves nothing to: shadowed by one that takes all their packets, or the
 * same rule over again. Only proofs count: see analysis/implies.ts.
 */
import type { Rule } from '../../../netfilter/rule-set.ts';
import { formatRuleBody } from '../../format-rule.ts';
import { EarlierRules } from '../analysis/earlier-rules.ts';
import { FIELD, fieldsRead, matchesAll, NOT_REPEATABLE, type TableEffects } from '../analysis/effects.ts';
import { impliesAll, isSteady } from '../analysis/implies.ts';
import { type Finding, finding } from '../findings.ts';
import { commentOf } from '../kube-names.ts';
import { type LintedTable, type LintRule, placeOf } from '../lint-context.ts';
import type { CheckedChain } from '../restore/tables-in-hand.ts';

const FIELD_BITS = Object.values(FIELD);

/** When each field was last changed by a rule of the chain. */
class ChangeLog {
  readonly #last = new Map<number, number>();

  record(changes: number, index: number): void {
    if ((changes & ~NOT_REPEATABLE) === 0) return;
    for (const bit of FIELD_BITS) if ((changes & bit) !== 0) this.#last.set(bit, index);
  }

  /** Whether one of `fields` was changed behind rule `index`. */
  changedSince(fields: number, index: number): boolean {
    return (
      fields !== 0 && FIELD_BITS.some((bit) => (fields & bit) !== 0 && (this.#last.get(bit) ?? -1) > index)
    );
  }
}

function fieldsOf({ matches }: Rule): number {
  return matches.reduce((fields, match) => fields | fieldsRead(match), 0);
}

/** Being asked, not only matching, is an effect of these matches: the rule does something even when shadowed. */
function countsWhenAsked({ matches }: Rule): boolean {
  return matches.some(
    ({ kind }) => kind === 'recent' || kind === 'hashlimit' || kind === 'nfacct' || kind === 'unknown',
  );
}

/** Chains into which kube-proxy writes a rule for every port of a Service, or every address that it lists. */
const KUBE_LISTS: ReadonlySet<string> = new Set([
  ...['KUBE-SERVICES', 'KUBE-EXTERNAL-SERVICES', 'KUBE-NODEPORTS', 'KUBE-PROXY-FIREWALL'],
]);

/** A Service that names an address twice, or several ports, makes kube-proxy repeat itself: nothing to correct here. */
function isRepeatedByDesign(chain: CheckedChain, rule: Rule, same: First | undefined): boolean {
  if (!KUBE_LISTS.has(chain.name)) return false;
  const comment = commentOf(rule);
  return comment !== undefined && (same !== undefined || comment.endsWith(' health check node port'));
}

interface First {
  readonly index: number;
  readonly line: number;
}

function isRepeatable(rule: Rule, effects: TableEffects): boolean {
  return (effects.changes(rule) & NOT_REPEATABLE) === 0 && rule.matches.every(isSteady);
}

function* repeatedInChain({ table, effects }: LintedTable, chain: CheckedChain): Generator<Finding> {
  if (chain.rules.length < 2) return;
  const earlier = new EarlierRules();
  const bodies = new Map<string, First>();
  const log = new ChangeLog();
  for (const [index, { rule, line }] of chain.rules.entries()) {
    if (matchesAll(rule) && effects.isFinal(rule)) return;
    const reads = fieldsOf(rule);
    const changes = effects.changes(rule);
    const body = formatRuleBody(rule);
    const same = bodies.get(body);
    if (isRepeatedByDesign(chain, rule, same)) {
      // Nothing to say, and nothing to learn from it.
    } else if (same !== undefined && !log.changedSince(reads | changes, same.index)) {
      const message = `this rule is the same as rule ${same.index + 1} of ${chain.name} (line ${same.line}); delete one`;
      yield finding('duplicate-rule', placeOf(table, chain, index), message);
    } else {
      const shadow = countsWhenAsked(rule) ? undefined : findShadow(rule, earlier, log);
      if (shadow !== undefined) {
        yield finding(
          'shadowed-rule',
          placeOf(table, chain, index),
          `this rule never matches: rule ${shadow.index + 1} of ${chain.name} (line ${shadow.line}) takes every ` +
            'packet that it could; delete it, move it up or narrow the other',
        );
      }
      if (isRepeatable(rule, effects)) bodies.set(body, { index, line });
      if (effects.isFinal(rule) && rule.matches.every(isSteady)) earlier.add({ rule, index, line, reads });
    }
    log.record(changes, index);
  }
}

/** The first earlier rule that takes every packet of `rule`. */
function findShadow(rule: Rule, earlier: EarlierRules, log: ChangeLog): First | undefined {
  if (earlier.isEmpty) return undefined;
  let found: First | undefined;
  for (const candidate of earlier.candidates(rule.matches)) {
    if (found !== undefined && candidate.index > found.index) continue;
    if (log.changedSince(candidate.reads, candidate.index)) continue;
    if (impliesAll(rule.matches, candidate.rule.matches)) found = candidate;
  }
  return found;
}

export const repeatedRules: LintRule = function* ({ tables }) {
  for (const linted of tables) {
    for (const chain of linted.table.chains.values()) yield* repeatedInChain(linted, chain);
  }
};
