/** What a match may look at besides itself. */
import type { Choices } from '../choices.ts';
import type { ConntrackTable } from '../conntrack/table.ts';
import type { Hook } from '../hooks.ts';
import type { HostView } from '../host-view.ts';
import type { IpSet } from '../ip-set.ts';
import type { Match } from '../match.ts';
import type { Skb } from '../skb.ts';
import type { MatchMemory } from './memory.ts';

export interface MatchEnvironment {
  readonly hook: Hook;
  readonly host: HostView;
  readonly memory: MatchMemory;
  readonly conntrack: ConntrackTable;
  readonly sets: ReadonlyMap<string, IpSet>;
  readonly choices: Choices;
  /** Virtual time, seconds. */
  readonly now: number;
}

/** Whether a match holds; `unsupported` when the engine cannot tell. */
export type MatchResult = boolean | 'unsupported';

export type Evaluator<M extends Match> = (match: M, skb: Skb, env: MatchEnvironment) => MatchResult;
