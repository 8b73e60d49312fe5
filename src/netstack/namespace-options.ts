/** What a namespace is made from, and what goes with frames inside it. */
import type { Choices } from '../netfilter/choices.ts';
import type { ConntrackSysctls } from '../netfilter/conntrack/timeouts.ts';
import type { Backend } from '../netfilter/hooks.ts';
import type { IpSet } from '../netfilter/ip-set.ts';
import type { RuleFinder } from '../netfilter/rule-finder.ts';
import type { RuleSet } from '../netfilter/rule-set.ts';
import type { Skb } from '../netfilter/skb.ts';
import type { Scheduler } from '../sim/scheduler.ts';

export interface NamespaceOptions {
  /** Tells namespaces apart: MAC addresses and random streams follow from it. */
  readonly name: string;
  readonly scheduler: Scheduler;
  /** What everything random in this namespace follows from. */
  readonly seed?: number;
  /** Where netfilter's random decisions come from; by default a stream of `seed` and `name`. */
  readonly choices?: Choices;
  /** Rule sets in force, asked for when the first packet meets a hook. */
  readonly rules?: () => readonly RuleSet[];
  /** Rule sets of the other iptables back end, which are in force beside them (Netfilter.loadBeside). */
  readonly rulesBeside?: readonly RuleSet[];
  readonly sets?: () => ReadonlyMap<string, IpSet>;
  readonly conntrack?: ConntrackSysctls;
  readonly backend?: Backend;
  readonly finder?: RuleFinder;
  readonly sysctls?: Readonly<Record<string, string | number>>;
}

/** What a bridge knows of a frame for its own device. */
export interface FrameContext {
  readonly skb?: Skb;
  /** The bridge has run the IP prerouting hooks. */
  readonly prerouted?: boolean;
  /** The frame is meant for this host though its address is not the device's. */
  readonly toHost?: boolean;
}
