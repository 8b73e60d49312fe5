/** What a flat path is made of, and what it asks of the reference engine: to go on with a packet where it stands. */
import type { Packet } from '../../../wire/packet.ts';
import { type Backend, HOOK_STEPS, type Hook } from '../../hooks.ts';
import type { Netfilter } from '../../netfilter.ts';
import type { Skb } from '../../skb.ts';
import type { FlatRouting } from './routing.ts';
import type { TapedChoices } from './taped-choices.ts';

/** The hooks that a forwarded packet passes. */
export type PathHook = Extract<Hook, 'prerouting' | 'forward' | 'postrouting'>;

/** The reference engine (netstack's Host). */
export interface PathReference<P> {
  /** A packet that came in by the device with this number. */
  receive(packet: Packet, inDevice: number): P;
  /** One that has come as far as before step `step` of `hook`. */
  resume(skb: Skb, inDevice: number, hook: PathHook, step: number): P;
}

/** What a step of a hook is called here: its kind, or the name of its table; `end`: behind the last. */
export type StepName = 'conntrack' | 'nat' | 'confirm' | 'raw' | 'mangle' | 'filter' | 'security' | 'end';

/** The number of a step of `hook`. */
export function stepNumber(backend: Backend, hook: PathHook, name: StepName): number {
  const steps = HOOK_STEPS[backend][hook];
  if (name === 'end') return steps.length;
  return steps.findIndex((step) => step.kind === name || (step.kind === 'table' && step.table === name));
}

export interface FlatPathOptions<P> {
  /** Its conntrack table and counters are replaced by the path's: nothing may be in them. */
  readonly netfilter: Netfilter;
  /** The choices that `netfilter` was made with. */
  readonly choices: TapedChoices;
  readonly routing: FlatRouting;
  readonly reference: PathReference<P>;
  /** How many flows to make room for at once. */
  readonly expectedFlows?: number;
}
