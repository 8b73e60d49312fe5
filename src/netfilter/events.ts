/** What the engine tells about a packet's way through one hook. Values only: the reader formats them. */
import type { Packet } from '../wire/packet.ts';
import type { TcpState } from './conntrack/timeouts.ts';
import type { Hook, Manip } from './hooks.ts';
import type { CtStateName } from './match.ts';
import type { Rule, TableName } from './rule-set.ts';
import type { RejectType } from './target.ts';
import type { Direction, Tuple } from './tuple.ts';

/** What a matched rule did. */
export type RuleEffect =
  | { readonly kind: 'accept' | 'drop' | 'return' | 'continue' | 'notrack' | 'log' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  | { readonly kind: 'reject'; readonly with: RejectType }
  | { readonly kind: 'mark' | 'ctmark'; readonly before: number; readonly after: number }
  /** The flow's binding: the end of the headers it maps, before and after. */
  | {
      readonly kind: 'nat';
      readonly manip: Manip;
      readonly before: Tuple;
      readonly after: Tuple;
      readonly random: boolean;
    }
  | { readonly kind: 'unsupported'; readonly reason: string };

/** What conntrack knew when the packet met it; a copy, since entries change. */
export interface ConntrackSnapshot {
  readonly original: Tuple;
  readonly reply: Tuple;
  readonly confirmed: boolean;
  readonly assured: boolean;
  readonly tcpState?: TcpState;
}

interface AtHook {
  readonly hook: Hook;
}

export type NetfilterEvent =
  /** The packet enters a hook. */
  | (AtHook & {
      readonly kind: 'hook';
      readonly inDevice?: string;
      readonly outDevice?: string;
      readonly packet: Packet;
    })
  | (AtHook & {
      readonly kind: 'conntrack';
      readonly state: CtStateName;
      readonly direction?: Direction;
      readonly entry?: ConntrackSnapshot;
    })
  /** A built-in chain is entered at a hook, or a user-defined one by a jump or goto. */
  | (AtHook & { readonly kind: 'chain'; readonly table: TableName; readonly chain: string })
  | (AtHook & {
      readonly kind: 'rule';
      readonly table: TableName;
      readonly chain: string;
      /** From 1, as `iptables -L --line-numbers` counts. */
      readonly number: number;
      readonly rule: Rule;
      readonly effect: RuleEffect;
    })
  /** No rule of a built-in chain decided. */
  | (AtHook & {
      readonly kind: 'policy';
      readonly table: TableName;
      readonly chain: string;
      readonly policy: 'ACCEPT' | 'DROP';
    })
  /** The headers were rewritten. `cause` tells a flow's first packet from the ones that follow it. */
  | (AtHook & {
      readonly kind: 'translate';
      readonly manip: Manip;
      readonly cause: 'rule' | 'null-binding' | 'flow' | 'un-nat';
      /** The rewritten port was drawn at random when the flow was bound. */
      readonly random: boolean;
      readonly before: Packet;
      readonly after: Packet;
    })
  /** The entry of a flow's first packet went into the table. */
  | (AtHook & { readonly kind: 'confirm'; readonly entry: ConntrackSnapshot });

export type TraceSink = (event: NetfilterEvent) => void;
