/** A host description made into a running Host, with its clock and its seeded random source. */
import { SeededChoices } from '../../netfilter/choices.ts';
import { CompiledFinder } from '../../netfilter/compiled/compiled-finder.ts';
import { DEFAULT_CONNTRACK } from '../../netfilter/conntrack/timeouts.ts';
import type { Backend } from '../../netfilter/hooks.ts';
import { Netfilter } from '../../netfilter/netfilter.ts';
import { LINEAR } from '../../netfilter/rule-finder.ts';
import type { RuleSet } from '../../netfilter/rule-set.ts';
import { AddressBook } from '../../netstack/addressing.ts';
import { Host } from '../../netstack/host.ts';
import { Clock } from '../../sim/clock.ts';
import { Random } from '../../sim/random.ts';
import type { HostSpec } from './host-spec.ts';

export interface HostRun {
  readonly host: Host;
  readonly clock: Clock;
  readonly random: Random;
}

export interface HostRunOptions {
  readonly rules: readonly RuleSet[];
  readonly seed: number;
  readonly backend: Backend;
  /** How rules are looked up: one after the other (the reference), or through indexes; the answers are equal. */
  readonly engine?: 'linear' | 'compiled';
}

/** Builds the host of `spec` with `rules` loaded, at time zero. */
export function buildHost(spec: HostSpec, { rules, seed, backend, engine }: HostRunOptions): HostRun {
  const clock = new Clock();
  const random = new Random(seed);
  const addresses = new AddressBook(spec.devices, spec.routes);
  const netfilter = new Netfilter({
    clock,
    choices: new SeededChoices(random),
    host: addresses,
    backend,
    finder: engine === 'compiled' ? new CompiledFinder() : LINEAR,
    sysctls: {
      ...DEFAULT_CONNTRACK,
      tcpLoose: spec.tcpLoose,
      tcpBeLiberal: spec.tcpBeLiberal,
      max: spec.conntrackMax ?? DEFAULT_CONNTRACK.max,
    },
  });
  for (const ruleSet of rules) netfilter.load(ruleSet);
  return { host: new Host({ addresses, netfilter }), clock, random };
}
