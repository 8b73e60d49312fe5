/**
 * Rule sets as immutable values: tables of chains of rules. They say what is programmed; the engine's
 * running state (counters, conntrack, recent lists) lives elsewhere.
 */
import type { IpFamily } from '../wire/ip-address.ts';
import type { Match } from './match.ts';
import type { Target } from './target.ts';

export const TABLES = ['raw', 'mangle', 'nat', 'filter', 'security'] as const;
export type TableName = (typeof TABLES)[number];

export interface Counters {
  readonly packets: bigint;
  readonly bytes: bigint;
}

export interface Rule {
  readonly matches: readonly Match[];
  readonly target: Target;
  /** As loaded (`iptables-save -c`); absent when the text had none. */
  readonly counters?: Counters;
}

export interface Chain {
  readonly name: string;
  /** Built-in chains have a policy; user-defined ones do not. */
  readonly policy?: 'ACCEPT' | 'DROP';
  readonly counters?: Counters;
  readonly rules: readonly Rule[];
}

export interface Table {
  readonly name: TableName;
  /** In the order of the text. */
  readonly chains: ReadonlyMap<string, Chain>;
}

export interface RuleSet {
  readonly family: IpFamily;
  readonly tables: ReadonlyMap<TableName, Table>;
}
