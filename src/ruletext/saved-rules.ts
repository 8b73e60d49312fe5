/**
 * A restore file as a value: the lines of `iptables-save` text in their order, each parsed. Reading a real
 * save and printing it gives the same bytes; `toRuleSet` (load-rules.ts) carries the commands out and gives
 * the tables that the kernel would then hold.
 */
import type { Counters, Rule, TableName } from '../netfilter/rule-set.ts';
import type { IpFamily } from '../wire/ip-address.ts';

/** Where a command stands, for messages. Lines count from 1. */
interface OnLine {
  readonly line: number;
}

/** `:NAME POLICY [packets:bytes]`; `policy` is absent for `-`, counters when the text has none. */
export interface ChainCommand extends OnLine {
  readonly kind: 'chain';
  readonly chain: string;
  readonly policy?: 'ACCEPT' | 'DROP';
  readonly counters?: Counters;
}

/** `-A CHAIN RULE`, `-D CHAIN RULE`, `-C CHAIN RULE`. */
export interface RuleCommand extends OnLine {
  readonly kind: 'append' | 'delete' | 'check';
  readonly chain: string;
  readonly rule: Rule;
}

/** `-I CHAIN [NUMBER] RULE`, `-R CHAIN NUMBER RULE`; rules count from 1. */
export interface PlacedRuleCommand extends OnLine {
  readonly kind: 'insert' | 'replace';
  readonly chain: string;
  readonly number: number;
  readonly rule: Rule;
}

/** `-D CHAIN NUMBER`. */
export interface DeleteNumberCommand extends OnLine {
  readonly kind: 'delete-number';
  readonly chain: string;
  readonly number: number;
}

/** `-N CHAIN`; `-F`, `-X`, `-Z` with a chain or for all. */
export type ChainEditCommand = OnLine &
  (
    | { readonly kind: 'new-chain'; readonly chain: string }
    | { readonly kind: 'flush' | 'delete-chain' | 'zero'; readonly chain?: string }
    | { readonly kind: 'rename-chain'; readonly chain: string; readonly to: string }
    | { readonly kind: 'policy'; readonly chain: string; readonly policy: 'ACCEPT' | 'DROP' }
  );

/** A comment or an empty line inside a table, verbatim. */
export interface RemarkCommand extends OnLine {
  readonly kind: 'remark';
  readonly text: string;
}

export type Command =
  | ChainCommand
  | RuleCommand
  | PlacedRuleCommand
  | DeleteNumberCommand
  | ChainEditCommand
  | RemarkCommand;

/** `*TABLE` … `COMMIT`. */
export interface Section {
  /** Comment and empty lines before `*TABLE`, verbatim. */
  readonly preamble: readonly string[];
  readonly table: TableName;
  /** Of the `*TABLE` line. */
  readonly line: number;
  readonly commands: readonly Command[];
  /** Of the `COMMIT` line. */
  readonly commitLine: number;
}

/** One file of rules. */
export interface SavedRules {
  readonly family: IpFamily;
  /** As the user named it, for messages. */
  readonly file?: string;
  readonly sections: readonly Section[];
  /** Lines after the last `COMMIT`, verbatim. */
  readonly epilogue: readonly string[];
  /** False when the text does not end in a newline. */
  readonly endsWithNewline: boolean;
}
