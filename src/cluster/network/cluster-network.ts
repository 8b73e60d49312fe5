/**
 * The emulated cluster while packets pass: namespaces joined by wires, on one virtual clock.
 *
 *   pod ══veth══ node ──┐             ┌── node ══veth══ pod
 *                       ├─ node network
 *              router ──┘      router ─── outside hosts
 *
 * A namespace comes to life when somebody asks for it or the first frame reaches it; its rules are made when
 * the first packet meets a hook.
 */
import type { Choices } from '../../netfilter/choices.ts';
import type { Impairments } from '../../netstack/link/impairments.ts';
import { Segment } from '../../netstack/link/segment.ts';
import { Namespace } from '../../netstack/namespace.ts';
import type { NamespaceEvent } from '../../netstack/namespace-events.ts';
import { InputError } from '../../sim/input-error.ts';
import { Random } from '../../sim/random.ts';
import { Scheduler } from '../../sim/scheduler.ts';
import { buildNode, nodeMac } from './build-node.ts';
import { buildPeer, buildRouter, outsideMac } from './build-outside.ts';
import type { AnyHostPlan, NetworkPlan } from './network-plan.ts';

/** Something that happened in the namespace of `host`. */
export interface Observation {
  /** The host's label. */
  readonly host: string;
  /** Virtual time, seconds. */
  readonly time: number;
  readonly event: NamespaceEvent;
}

export interface ClusterNetworkOptions {
  readonly seed: number;
  /** Where netfilter's random decisions come from; by default each host's own stream under `seed`. */
  readonly choices?: Choices;
  /** Called for every namespace when it is made, before it has devices: its sockets or answerer go here. */
  readonly inhabit?: (namespace: Namespace, plan: AnyHostPlan) => void;
}

export class ClusterNetwork {
  readonly plan: NetworkPlan;
  readonly seed: number;
  readonly scheduler = new Scheduler();
  /** The network that all nodes and the router are on. */
  readonly nodeNetwork: Segment;
  /** Where hosts are that are not on the node network. */
  readonly outside: Segment;
  readonly #choices: Choices | undefined;
  readonly #inhabit: ((namespace: Namespace, plan: AnyHostPlan) => void) | undefined;
  readonly #namespaces = new Map<string, Namespace>();
  #observer: ((observation: Observation) => void) | undefined;

  constructor(plan: NetworkPlan, { seed, choices, inhabit }: ClusterNetworkOptions) {
    this.plan = plan;
    this.seed = seed;
    this.#choices = choices;
    this.#inhabit = inhabit;
    const segment = (name: string, mtu: number) =>
      new Segment({ name, scheduler: this.scheduler, random: new Random(seed ^ name.length), mtu });
    const { mtu } = plan.cluster.topology.nodeNetwork;
    this.nodeNetwork = segment('node network', mtu);
    this.outside = segment('outside', 65_535);
    this.#announce();
  }

  /** Tells the switches who will be there once somebody asks for them. */
  #announce(): void {
    const { nodes, router, hosts } = this.plan;
    for (const node of nodes) {
      const make = () => this.#device(node.label, this.plan.cluster.topology.devices.uplink);
      this.nodeNetwork.plugLater({ mac: nodeMac(node), addresses: node.ownAddresses, make });
    }
    for (const [segment, device, mac, addresses] of [
      [this.nodeNetwork, 'lan0', outsideMac(router, 'lan0'), router.lanAddresses],
      [this.outside, 'wan0', outsideMac(router, 'wan0'), router.wanAddresses],
    ] as const) {
      const make = () => this.#device(router.label, device);
      segment.plugLater({ mac, addresses: addresses.map(({ address }) => address), make });
    }
    for (const plan of hosts.values()) {
      if (plan.kind !== 'outside') continue;
      const segment = plan.peer.onNodeNetwork ? this.nodeNetwork : this.outside;
      const make = () => this.#device(plan.label, 'eth0');
      segment.plugLater({ mac: outsideMac(plan, 'eth0'), addresses: plan.ownAddresses, make });
    }
  }

  #device(label: string, name: string) {
    const device = this.namespace(label).interface(name);
    if (device === undefined) throw new Error(`${label} was made without ${name}`);
    return device;
  }

  /** The plan of the host called `label`. Throws InputError when there is none. */
  planOf(label: string): AnyHostPlan {
    const plan = this.plan.hosts.get(label);
    if (plan === undefined) throw new InputError(`there is no ${label}`);
    return plan;
  }

  /** The namespace of the host called `label`, made on first use. Throws InputError when there is no such host. */
  namespace(label: string): Namespace {
    const known = this.#namespaces.get(label);
    if (known !== undefined) return known;
    const plan = this.planOf(label);
    switch (plan.kind) {
      case 'node':
        return buildNode(this, plan);
      case 'pod':
        // The node makes the pod's end of the wire, and with it the pod.
        this.namespace(`node/${plan.node}`);
        return this.#attached(label);
      case 'outside':
        return buildPeer(this, plan);
      case 'router':
        return buildRouter(this, plan);
    }
  }

  readonly #pods = new Map<string, () => Namespace>();

  /** Says how the pod called `label`, which is not there yet, is made. */
  announcePod(label: string, make: () => Namespace): void {
    this.#pods.set(label, make);
  }

  #attached(label: string): Namespace {
    const make = this.#pods.get(label);
    if (make === undefined) throw new Error(`nobody attaches ${label}`);
    return make();
  }

  /** An empty namespace for `plan`; `sysctls` over what Linux has by default. */
  makeNamespace(plan: AnyHostPlan, sysctls: Readonly<Record<string, string>>): Namespace {
    const { label, rules, sets, legacyRules } = plan;
    const namespace = new Namespace({
      name: label,
      scheduler: this.scheduler,
      seed: this.seed,
      rules,
      sysctls,
      ...(sets === undefined ? {} : { sets }),
      ...(legacyRules === undefined ? {} : { rulesBeside: legacyRules }),
      ...(this.#choices === undefined ? {} : { choices: this.#choices }),
    });
    this.#namespaces.set(label, namespace);
    this.#listen(label, namespace);
    this.#inhabit?.(namespace, plan);
    return namespace;
  }

  /** Tells `observer` of everything that happens from now on; undefined: nobody listens. */
  observe(observer: ((observation: Observation) => void) | undefined): void {
    this.#observer = observer;
    for (const [label, namespace] of this.#namespaces) this.#listen(label, namespace);
  }

  #listen(host: string, namespace: Namespace): void {
    const observer = this.#observer;
    namespace.trace = observer && ((event) => observer({ host, time: this.scheduler.now(), event }));
  }

  /** What the topology says of the wire at the host called `label`. */
  impairments(label: string): Impairments {
    const link = this.plan.links.get(label);
    if (link === undefined) return {};
    const { at: _, origin: __, ...impairments } = link;
    return impairments;
  }
}
