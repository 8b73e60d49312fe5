/** Which pods a peer of a policy means, each question answered once. */
import type { IpAddress } from '../../wire/ip-address.ts';
import { prefixContains } from '../../wire/ip-prefix.ts';
import { groupBy } from './group-by.ts';
import type { PolicyInput, PolicyPeer, PolicyPod } from './policy.ts';
import { selectorKey, selects } from './selector.ts';

type IpBlock = NonNullable<PolicyPeer['ipBlock']>;

/** Whether `address` is of the block and of none of its exceptions. */
export function blockHolds({ cidr, except }: IpBlock, address: IpAddress): boolean {
  return prefixContains(cidr, address) && !except.some((part) => prefixContains(part, address));
}

/** Selecting peers of one key mean the same pods. `namespace`: that of the policy. */
export function peerKey({ podSelector, namespaceSelector }: PolicyPeer, namespace: string): string {
  const where =
    namespaceSelector === undefined ? `in ${namespace}` : `where ${selectorKey(namespaceSelector)}`;
  return `pods ${where} ${selectorKey(podSelector)}`;
}

export class PeerPods {
  /** Pods that policies are about: all but those on the host's network. */
  readonly everybody: readonly PolicyPod[];
  readonly #byNamespace: ReadonlyMap<string, readonly PolicyPod[]>;
  readonly #namespaces: PolicyInput['namespaces'];
  readonly #answers = new Map<string, readonly PolicyPod[]>();

  constructor({ pods, namespaces }: Pick<PolicyInput, 'pods' | 'namespaces'>) {
    this.everybody = pods.filter((pod) => !pod.hostNetwork);
    this.#byNamespace = groupBy(this.everybody, (pod) => pod.namespace);
    this.#namespaces = namespaces;
  }

  /** The pods that the selectors of `peer` choose, for a policy in `namespace`; none for a block. */
  chosenBy(peer: PolicyPeer, namespace: string): readonly PolicyPod[] {
    if (peer.ipBlock !== undefined) return [];
    const key = peerKey(peer, namespace);
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const { podSelector, namespaceSelector } = peer;
    const namespaces =
      namespaceSelector === undefined
        ? [namespace]
        : this.#namespaces.filter(({ labels }) => selects(namespaceSelector, labels)).map(({ name }) => name);
    const pods = namespaces
      .flatMap((name) => this.#byNamespace.get(name) ?? [])
      .filter(({ labels }) => podSelector === undefined || selects(podSelector, labels));
    this.#answers.set(key, pods);
    return pods;
  }

  /** Every pod's address that one of `peers` means; with none, the addresses of all pods. */
  addressesMeant(peers: readonly PolicyPeer[], namespace: string): { pod: PolicyPod; address: IpAddress }[] {
    const all = (pods: readonly PolicyPod[]) =>
      pods.flatMap((pod) => pod.addresses.map((address) => ({ pod, address })));
    if (peers.length === 0) return all(this.everybody);
    return peers.flatMap((peer) => {
      const { ipBlock } = peer;
      if (ipBlock === undefined) return all(this.chosenBy(peer, namespace));
      return all(this.everybody).filter(({ address }) => blockHolds(ipBlock, address));
    });
  }
}
