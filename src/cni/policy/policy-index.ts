/** The NetworkPolicies of a cluster, answered for one node at a time and only when asked. */
import { parseIpsetSave } from '../../ruletext/ipset-save.ts';
import { quote } from '../../ruletext/quoting.ts';
import type { IpFamily } from '../../wire/ip-address.ts';
import { type AddressSet, AddressSets } from './address-sets.ts';
import { groupBy } from './group-by.ts';
import { commentText, POLICY_CHAIN, podChain } from './names.ts';
import { PeerPods } from './peer-pods.ts';
import { ownAddresses, type PodChain, writePodChain } from './pod-chains.ts';
import { isolates, type Policy, type PolicyDirection, type PolicyInput, type PolicyPod } from './policy.ts';
import { selects } from './selector.ts';

/** Sets as the engine takes them. */
export type LoadedSets = ReturnType<typeof parseIpsetSave>;

export interface NodePolicyRules {
  /**
   * For `iptables-restore --noflush`, filter table, once: the jump from FORWARD is inserted each time. Empty when no
   * pod of the node is isolated.
   */
  readonly rules: string;
  /** For `ipset restore`: every set that `rules` name. */
  readonly sets: string;
}

export const POLICY_DIRECTIONS: readonly PolicyDirection[] = ['egress', 'ingress'];

/** A pod's own end of the packet that opens a connection. */
const NEAR = { ingress: '-d', egress: '-s' } as const;

/** Solicitations and advertisements (RFC 4861) between pods of one bridge: without them IPv6 finds nobody there. */
const NEIGHBOUR_DISCOVERY = [135, 136].map(
  (type) =>
    `-A ${POLICY_CHAIN} -p ipv6-icmp -m comment --comment "neighbour discovery" -m icmp6 --icmpv6-type ${type} -j RETURN`,
);

const NOTHING: NodePolicyRules = { rules: '', sets: '' };

/** Whose chain it is. */
interface ChainOwner {
  readonly pod: PolicyPod;
  readonly direction: PolicyDirection;
}

interface NodeChains {
  readonly dispatch: readonly string[];
  readonly chains: readonly PodChain[];
}

export class PolicyIndex {
  readonly #byNamespace: ReadonlyMap<string, readonly Policy[]>;
  readonly #byNode: ReadonlyMap<string, readonly PolicyPod[]>;
  readonly #peers: PeerPods;
  readonly #sets: AddressSets;
  readonly #loaded = new Map<string, LoadedSets>();
  /** The chains written so far, by name. */
  readonly #owners = new Map<string, ChainOwner>();
  /** The node that was asked about last: rules and sets of both families are asked for one after the other. */
  #latest: { readonly node: string; readonly chains: Map<IpFamily, NodeChains> } | undefined;

  constructor(input: PolicyInput) {
    this.#peers = new PeerPods(input);
    this.#sets = new AddressSets(this.#peers);
    this.#byNamespace = groupBy(input.policies, ({ metadata }) => metadata.namespace);
    this.#byNode = groupBy(this.#peers.everybody, ({ node }) => node);
  }

  /** The pods that policies can be about: all but those on the host's network. */
  get pods(): readonly PolicyPod[] {
    return this.#peers.everybody;
  }

  /** The pods that selectors and blocks stand for. */
  get peers(): PeerPods {
    return this.#peers;
  }

  /** The policies that isolate `pod` in `direction`; with none, everything is allowed. */
  isolating(pod: PolicyPod, direction: PolicyDirection): Policy[] {
    if (pod.hostNetwork) return [];
    const policies = this.#byNamespace.get(pod.namespace) ?? [];
    return policies.filter(
      (policy) => isolates(policy, direction) && selects(policy.spec.podSelector, pod.labels),
    );
  }

  #chainsOf(node: string, family: IpFamily): NodeChains {
    if (this.#latest?.node !== node) this.#latest = { node, chains: new Map() };
    const known = this.#latest.chains.get(family) ?? this.#writeChains(node, family);
    this.#latest.chains.set(family, known);
    return known;
  }

  #writeChains(node: string, family: IpFamily): NodeChains {
    const dispatch: string[] = [];
    const chains: PodChain[] = [];
    for (const direction of POLICY_DIRECTIONS) {
      for (const pod of this.#byNode.get(node) ?? []) {
        const heads = ownAddresses(pod, NEAR[direction], family);
        const policies = heads.length === 0 ? [] : this.isolating(pod, direction);
        if (policies.length === 0) continue;
        const chain = writePodChain(pod, policies, { direction, family, sets: this.#sets });
        const comment = quote(commentText(`pod ${pod.namespace}/${pod.name}`, direction));
        chains.push(chain);
        this.#owners.set(chain.name, { pod, direction });
        for (const head of heads) {
          dispatch.push(`-A ${POLICY_CHAIN} ${head} -m comment --comment ${comment} -j ${chain.name}`);
        }
      }
    }
    return { dispatch, chains };
  }

  /** What `node` programs in `family`. */
  nodeRules(node: string, family: IpFamily): NodePolicyRules {
    const { dispatch, chains } = this.#chainsOf(node, family);
    if (chains.length === 0) return NOTHING;
    const sorted = chains.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const lines = [
      '*filter',
      `:${POLICY_CHAIN} - [0:0]`,
      ...sorted.map(({ name }) => `:${name} - [0:0]`),
      // Before everybody else's rules: kube-proxy accepts what it has marked without a look at its ends.
      `-I FORWARD 1 -m comment --comment "network policies" -j ${POLICY_CHAIN}`,
      ...(family === 'ipv6' ? NEIGHBOUR_DISCOVERY : []),
      `-A ${POLICY_CHAIN} -m comment --comment "of a connection that was allowed" -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN`,
      ...dispatch,
      ...sorted.flatMap(({ rules }) => rules),
      'COMMIT',
    ];
    return {
      rules: `${lines.join('\n')}\n`,
      get sets() {
        return setsOf(chains)
          .map(({ text }) => text)
          .join('');
      },
    };
  }

  /** The sets that the rules of `node` name in `family`, ready for the engine; nodes share them. */
  loadedSets(node: string, family: IpFamily): LoadedSets {
    const { chains } = this.#chainsOf(node, family);
    return new Map(setsOf(chains).flatMap((set) => [...this.#load(set)]));
  }

  #load({ name, text }: AddressSet): LoadedSets {
    const known = this.#loaded.get(name);
    if (known !== undefined) return known;
    const loaded = parseIpsetSave(text, `set ${name} of the network policies`);
    this.#loaded.set(name, loaded);
    return loaded;
  }

  /** Whose chain `name` is; undefined when it is no isolated pod's. */
  ownerOf(name: string): ChainOwner | undefined {
    const written = this.#owners.get(name);
    if (written !== undefined) return written;
    for (const pod of this.pods) {
      for (const direction of POLICY_DIRECTIONS) {
        if (podChain(direction, pod) === name) return { pod, direction };
      }
    }
    return undefined;
  }
}

/** Each once, in the order of their names. */
function setsOf(chains: readonly PodChain[]): AddressSet[] {
  const sets = new Map(chains.flatMap(({ sets }) => sets.map((set) => [set.name, set] as const)));
  return [...sets.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
