/** The emulated cluster while packets pass: hosts come to life when the first packet reaches them. */
import { type Choices, SeededChoices } from '../../netfilter/choices.ts';
import { Netfilter } from '../../netfilter/netfilter.ts';
import { Host } from '../../netstack/host.ts';
import { Clock } from '../../sim/clock.ts';
import { InputError } from '../../sim/input-error.ts';
import { Random } from '../../sim/random.ts';
import type { HostPlan, Listens } from './host-plan.ts';
import { answererOf, listensNowhere } from './listeners.ts';
import type { NetworkPlan } from './network-plan.ts';

/** A seed for `label` under `seed`, so that a host draws the same however many others there are. */
function seedFor(seed: number, label: string): number {
  let hash = seed | 0;
  for (const char of label) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x5bd1e995);
  return hash;
}

export class NetworkRun {
  readonly plan: NetworkPlan;
  readonly clock = new Clock();
  readonly #choicesFor: (label: string) => Choices;
  readonly #hosts = new Map<string, Host>();

  /** `choices`: where random decisions come from; by default each host's own stream under `seed`. */
  constructor(plan: NetworkPlan, { seed, choices }: { readonly seed: number; readonly choices?: Choices }) {
    this.plan = plan;
    this.#choicesFor = (label) => choices ?? new SeededChoices(new Random(seedFor(seed, label)));
  }

  /** The plan of the host called `label`. Throws InputError when there is none. */
  planOf(label: string): HostPlan {
    const plan = this.plan.hosts.get(label);
    if (plan === undefined) throw new InputError(`there is no ${label}`);
    return plan;
  }

  /** The host called `label`, made on first use. */
  host(label: string): Host {
    const known = this.#hosts.get(label);
    if (known !== undefined) return known;
    const plan = this.planOf(label);
    const addresses = plan.addresses();
    const netfilter = new Netfilter({
      clock: this.clock,
      choices: this.#choicesFor(label),
      host: addresses,
      ...(plan.conntrack === undefined ? {} : { sysctls: plan.conntrack }),
    });
    for (const rules of plan.rules()) netfilter.load(rules);
    const host = new Host({ addresses, netfilter });
    this.#hosts.set(label, host);
    this.expect(label, listensNowhere);
    return host;
  }

  /** Lets a client on `label` wait for answers that `expects` knows. */
  expect(label: string, expects: Listens): void {
    this.host(label).answerer = answererOf(this.planOf(label).listens, expects);
  }
}
