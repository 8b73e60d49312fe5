/** All rules of the linter. */
import type { LintRule } from './lint-context.ts';
import { balancing } from './rules/balancing.ts';
import { bothBackEnds } from './rules/both-back-ends.ts';
import { emptyChain } from './rules/empty-chain.ts';
import { externalObjects } from './rules/external-objects.ts';
import { kubeEndpoints } from './rules/kube-endpoints.ts';
import { kubeRemains } from './rules/kube-remains.ts';
import { markNeverTested } from './rules/mark-never-tested.ts';
import { natPolicy } from './rules/nat-policy.ts';
import { neverMatches } from './rules/never-matches.ts';
import { repeatedRules } from './rules/repeated-rules.ts';
import { stateInRaw } from './rules/state-in-raw.ts';
import { unreachableRule } from './rules/unreachable-rule.ts';
import { unreachedChain } from './rules/unreached-chain.ts';

export const LINT_RULES: readonly LintRule[] = [
  unreachableRule,
  repeatedRules,
  neverMatches,
  unreachedChain,
  emptyChain,
  balancing,
  kubeRemains,
  kubeEndpoints,
  natPolicy,
  stateInRaw,
  markNeverTested,
  externalObjects,
  bothBackEnds,
];
