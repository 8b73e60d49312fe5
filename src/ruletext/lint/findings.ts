/** What a check may find. Each code is declared once, here, with how grave it is and what to do about it. */
import type { TableName } from '../../netfilter/rule-set.ts';

/** `error`: the file is refused, or cannot do what it says. `warning`: probably a mistake. `info`: worth knowing. */
export const SEVERITIES = ['error', 'warning', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

interface FindingKind {
  readonly severity: Severity;
  /** One line of documentation: what it means and what to do. */
  readonly help: string;
}

function kinds<Code extends string>(table: Readonly<Record<Code, FindingKind>>) {
  return table;
}

export const FINDING_KINDS = kinds({
  syntax: { severity: 'error', help: 'iptables-restore cannot read the line: correct it' },
  'unknown-extension': {
    severity: 'error',
    help: 'no match or target of that name comes with iptables: correct the name',
  },
  'bad-option': {
    severity: 'error',
    help: 'an option of a match or target is missing, misplaced or has a bad value: correct it',
  },
  'undeclared-chain': {
    severity: 'error',
    help: 'a rule or command names a chain that does not exist: declare it before with :CHAIN - [0:0]',
  },
  'missing-jump-target': {
    severity: 'error',
    help: 'a rule jumps to what is neither a chain nor a target: declare the chain before, or correct the name',
  },
  'duplicate-chain': { severity: 'error', help: 'a chain is declared twice: delete one declaration' },
  'user-chain-policy': {
    severity: 'error',
    help: "a user-defined chain has a policy: write '-' and end the chain with a rule instead",
  },
  'redeclared-chain': {
    severity: 'warning',
    help: 'iptables-nft empties a chain that is declared again, iptables-legacy refuses: delete one declaration',
  },
  'ignored-policy': {
    severity: 'warning',
    help: "only built-in chains have policies; iptables-nft ignores this one, iptables-legacy refuses: write '-'",
  },
  'ignored-counters': {
    severity: 'warning',
    help: 'iptables-restore without --counters skips them, with it refuses: write [PACKETS:BYTES]',
  },
  'open-quote': {
    severity: 'warning',
    help: 'a comment without its closing quote swallows the rest of the line, target and all: close it',
  },
  'listing-command': {
    severity: 'warning',
    help: 'a command that lists rules does nothing here: delete the line',
  },
  'table-twice': {
    severity: 'warning',
    help: 'the second *TABLE replaces all of the first: join them',
  },
  'bad-command': { severity: 'error', help: 'a command cannot be carried out on what is there: correct it' },
  'jump-loop': { severity: 'error', help: 'chains lead back to themselves: break the circle' },
  'deep-jumps': { severity: 'error', help: 'more jumps than the kernel follows: flatten the chains' },
  misplaced: {
    severity: 'error',
    help: 'a match or target stands where the kernel does not allow it: move it to a table and hook that do',
  },
  'unknown-set': {
    severity: 'error',
    help: 'an IP set is not among those given: create it, or correct the name',
  },
  'external-object': {
    severity: 'info',
    help: 'the file loads only where this IP set or counter exists: make it first (--sets checks IP sets)',
  },
  'set-dimension': {
    severity: 'warning',
    help: 'a set is asked about fewer directions than it has parts, so it never matches: give one for each part',
  },
  'unreachable-rule': {
    severity: 'warning',
    help: 'an earlier rule of the chain takes every packet: delete the rule or move it up',
  },
  'shadowed-rule': {
    severity: 'warning',
    help: 'an earlier rule takes every packet that the rule could match: delete it, move it up or narrow the other',
  },
  'duplicate-rule': { severity: 'warning', help: 'the same rule stands in the chain twice: delete one' },
  'never-matches': { severity: 'warning', help: 'no packet can match the rule: correct its matches' },
  'unreached-chain': {
    severity: 'warning',
    help: 'no rule on the way from a built-in chain leads here: jump to the chain or delete it',
  },
  'unused-chain': { severity: 'info', help: 'an empty chain that nothing jumps to: delete it' },
  'empty-chain': {
    severity: 'info',
    help: 'a jump to a chain without rules does nothing: fill the chain or delete both',
  },
  'nat-policy': {
    severity: 'warning',
    help: 'the nat table sees only the first packet of a flow, so its policy is no filter: filter in *filter',
  },
  'state-in-raw': {
    severity: 'warning',
    help: 'connection tracking comes after the raw table, so the test never holds there: move the rule',
  },
  'uneven-balancing': {
    severity: 'warning',
    help: 'rule i of n (from 0) must take 1/(n-i) of what reaches it for equal shares: correct the probability',
  },
  'balancing-falls-through': {
    severity: 'warning',
    help: 'the last rule of a balanced group must be unconditional: drop its probability',
  },
  'kube-proxy-remains': {
    severity: 'warning',
    help: 'a chain of a Service or endpoint that is gone: kube-proxy removes it at its next full sync, or iptables -X',
  },
  'kube-endpoint-mismatch': {
    severity: 'error',
    help: 'an endpoint chain translates to another address than its hairpin rule or comments say: let kube-proxy rewrite it',
  },
  'kube-mark-drop-remains': {
    severity: 'info',
    help: 'kubelet before 1.28 left this chain and nothing uses it: delete it once no old component runs',
  },
  'mark-never-tested': {
    severity: 'info',
    help: 'no rule tests the mark: fine only if a routing rule (ip rule fwmark) or another program does',
  },
  'both-back-ends': {
    severity: 'warning',
    help: 'rules of iptables-legacy and iptables-nft are both active and both decide: move all of them to one',
  },
});

export type FindingCode = keyof typeof FINDING_KINDS;

/** One finding. Lines and rule numbers count from 1. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** Undefined when the file as a whole is meant. */
  readonly line: number | undefined;
  readonly table?: TableName;
  readonly chain?: string;
  readonly rule?: number;
  /** One sentence that says what is wrong and what to do. */
  readonly message: string;
}

/** Where a finding is, as far as known. */
export interface FindingPlace {
  readonly line: number | undefined;
  readonly table?: TableName;
  readonly chain?: string;
  readonly rule?: number;
}

/** A finding of kind `code` at `place`. */
export function finding(code: FindingCode, place: FindingPlace, message: string): Finding {
  return { code, severity: FINDING_KINDS[code].severity, ...place, message };
}

/** Orders by line; findings about the whole file come last. */
export function compareFindings(a: Finding, b: Finding): number {
  return (a.line ?? Number.MAX_SAFE_INTEGER) - (b.line ?? Number.MAX_SAFE_INTEGER);
}
