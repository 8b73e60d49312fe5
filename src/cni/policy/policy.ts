/**
 * NetworkPolicies as rules.
 *
 *     pods, namespaces, policies ──PolicyIndex──► for a node and a family: filter rules and the sets they name
 *                                              └► for a chain that dropped: which policies isolate which pod
 *
 * In: plain values, as a cluster knows them. Out: text for `iptables-restore --noflush` and `ipset restore`.
 * A pod is isolated in a direction as soon as one policy selects it there; what no rule of any such policy
 * allows is dropped on the pod's own node, in the filter table's FORWARD, after destination NAT and before
 * source NAT. What passes between a node and its own pods is never in FORWARD, and so never refused. Pods on
 * the host's network are the node itself: no policy selects them, and no selector of a peer means them.
 */
import type { IpAddress } from '../../wire/ip-address.ts';
import type { IpPrefix } from '../../wire/ip-prefix.ts';

export type PolicyProtocol = 'TCP' | 'UDP' | 'SCTP';
export type Labels = Readonly<Record<string, string>>;

export interface PolicyPod {
  readonly namespace: string;
  readonly name: string;
  /** The node it runs on. */
  readonly node: string;
  readonly labels: Labels;
  readonly addresses: readonly IpAddress[];
  /** What its containers declare: what named ports stand for. */
  readonly ports: readonly {
    readonly name?: string;
    readonly containerPort: number;
    readonly protocol: PolicyProtocol;
  }[];
  readonly hostNetwork: boolean;
}

/** A namespace and its labels, `kubernetes.io/metadata.name` among them. */
export interface PolicyNamespace {
  readonly name: string;
  readonly labels: Labels;
}

export interface PolicySelector {
  readonly matchLabels: Labels;
  readonly matchExpressions: readonly {
    readonly key: string;
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    readonly values: readonly string[];
  }[];
}

export interface PolicyPort {
  readonly protocol: PolicyProtocol;
  /** A number, or the name of a container port of the pod that is connected to; absent: all. */
  readonly port?: number | string;
  readonly endPort?: number;
}

/** Selectors, or an address block alone. */
export interface PolicyPeer {
  readonly podSelector?: PolicySelector;
  readonly namespaceSelector?: PolicySelector;
  readonly ipBlock?: { readonly cidr: IpPrefix; readonly except: readonly IpPrefix[] };
}

/** A NetworkPolicy with its defaults filled in; networking.k8s.io/v1 field for field. */
export interface Policy {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: {
    readonly podSelector: PolicySelector;
    readonly policyTypes: readonly ('Ingress' | 'Egress')[];
    readonly ingress: readonly {
      readonly ports: readonly PolicyPort[];
      readonly from: readonly PolicyPeer[];
    }[];
    readonly egress: readonly { readonly ports: readonly PolicyPort[]; readonly to: readonly PolicyPeer[] }[];
  };
}

export interface PolicyInput {
  readonly pods: readonly PolicyPod[];
  readonly namespaces: readonly PolicyNamespace[];
  readonly policies: readonly Policy[];
}

export type PolicyDirection = 'ingress' | 'egress';

/** One rule of a policy, the same form in both directions. */
export interface PolicyRule {
  readonly policy: Policy;
  readonly direction: PolicyDirection;
  /** Its index in spec.ingress or spec.egress. */
  readonly index: number;
  readonly ports: readonly PolicyPort[];
  /** Empty: everybody. */
  readonly peers: readonly PolicyPeer[];
}

/** `NAMESPACE/NAME` */
export function policyName({ metadata }: Pick<Policy, 'metadata'>): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** Whether `policy` isolates the pods it selects in `direction`. */
export function isolates(policy: Policy, direction: PolicyDirection): boolean {
  return policy.spec.policyTypes.includes(direction === 'ingress' ? 'Ingress' : 'Egress');
}

/** The rules of `policy` that count in `direction`; none when it does not isolate there. */
export function rulesOf(policy: Policy, direction: PolicyDirection): PolicyRule[] {
  if (!isolates(policy, direction)) return [];
  if (direction === 'ingress') {
    return policy.spec.ingress.map(({ ports, from }, index) => {
      return { policy, direction, index, ports, peers: from };
    });
  }
  return policy.spec.egress.map(({ ports, to }, index) => {
    return { policy, direction, index, ports, peers: to };
  });
}
