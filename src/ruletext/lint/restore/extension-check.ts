/** Whether iptables has the matches and targets of a rule, and reads their options. */
import type { Match } from '../../../netfilter/match.ts';
import type { Rule } from '../../../netfilter/rule-set.ts';
import type { Target } from '../../../netfilter/target.ts';
import type { IpFamily } from '../../../wire/ip-address.ts';
import type { FindingCode } from '../findings.ts';
import { checkExtensionText, type ExtensionGrammar } from './extension-grammar.ts';
import { KNOWN_MATCHES, KNOWN_TARGETS } from './extension-names.ts';
import { matchGrammar } from './match-grammars.ts';
import type { BackEnd, RefusalStage } from './refusal.ts';
import { targetGrammar } from './target-grammars.ts';

/** Modelled matches that do not come with iptables, although the kernel has them. */
const NOT_SHIPPED: ReadonlySet<string> = new Set(['udplite']);

export interface Problem {
  readonly code: FindingCode;
  readonly message: string;
  readonly stage: RefusalStage;
}

const PROGRAM: Readonly<Record<IpFamily, string>> = { ipv4: 'iptables', ipv6: 'ip6tables' };

function textProblem(use: string, text: string, grammar: ExtensionGrammar | undefined, family: IpFamily) {
  const problem = grammar === undefined ? undefined : checkExtensionText(text, grammar, family);
  if (problem === undefined) return undefined;
  return { code: 'bad-option', message: `${use}: ${problem}`, stage: 'test' } as const;
}

function matchProblem(match: Match, family: IpFamily): Problem | undefined {
  const name = match.kind === 'unknown' ? match.name : match.kind;
  if (match.kind === 'unknown' ? !KNOWN_MATCHES[family].has(name) : NOT_SHIPPED.has(name)) {
    const message = `${PROGRAM[family]} has no match '${name}'; correct the name after -m`;
    return { code: 'unknown-extension', message, stage: 'test' };
  }
  if (match.kind !== 'unknown') return undefined;
  return textProblem(`-m ${name}`, match.text, matchGrammar(name, family), family);
}

function targetProblem(target: Target, family: IpFamily, backEnd: BackEnd): Problem | undefined {
  if (target.kind !== 'unknown') return undefined;
  const { name, text } = target;
  if (!KNOWN_TARGETS[family].has(name)) {
    const message = `${PROGRAM[family]} has no target '${name}'; correct the name after -j`;
    // Without options it could be a chain, which iptables-nft looks up only when it loads.
    const stage = text === '' && backEnd === 'nft' ? 'load' : 'test';
    return { code: 'unknown-extension', message, stage };
  }
  return textProblem(`-j ${name}`, text, targetGrammar(name, family), family);
}

/** The first thing wrong with the extensions of `rule`, and when it is refused; undefined when all is well. */
export function extensionProblem(rule: Rule, family: IpFamily, backEnd: BackEnd): Problem | undefined {
  let problem: Problem | undefined;
  for (const match of rule.matches) problem ??= matchProblem(match, family);
  return problem ?? targetProblem(rule.target, family, backEnd);
}
