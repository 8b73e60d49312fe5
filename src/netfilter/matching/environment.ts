/** What a match may look at besides itself. */
import type { Choices } from '../choices.ts';
import type { ConntrackTable } from '../conntrack/table.ts';
import type { Backend, Hook } from '../hooks.ts';
import type { HostView } from '../host-view.ts';
import type { IpSet } from '../ip-set.ts';
import type { Match } from '../match.ts';
import type { Skb } from '../skb.ts';
import type { MatchMemory } from './memory.ts';

export interface MatchEnvironment {
  readonly hook: Hook;
  readonly backend: Backend;
  readonly host: HostView;
  readonly memory: MatchMemory;
  readonly conntrack: ConntrackTable;
  readonly sets: ReadonlyMap<string, IpSet>;
  /** When the sets were loaded: elements with a timeout live from then on. */
  readonly setsLoadedAt: number;
  readonly choices: Choices;
  /** Virtual time, seconds. */
  readonly now: number;
}

/**
 * Whether a match holds; `unsupported` when the engine cannot tell; `malformed` when it gives the packet up,
 * because it cannot read a header that it needs (hotdrop).
 */
export type MatchResult = boolean | 'unsupported' | 'malformed';

export type Evaluator<M extends Match> = (match: M, skb: Skb, env: MatchEnvironment) => MatchResult;
