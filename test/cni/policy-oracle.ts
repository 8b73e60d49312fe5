/**
 * What NetworkPolicies allow, straight from the API's words and nothing else: no rules, no sets, one question
 * at a time. The rules are held to this.
 */
import type {
  Labels,
  Policy,
  PolicyNamespace,
  PolicyPod,
  PolicySelector,
} from '../../src/cni/policy/policy.ts';
import { type IpAddress, sameAddress } from '../../src/wire/ip-address.ts';
import { prefixContains } from '../../src/wire/ip-prefix.ts';
import { type Attempt, addressOf, type End } from './policy-world.ts';

interface Facts {
  readonly namespaces: readonly PolicyNamespace[];
  readonly policies: readonly Policy[];
}

function meets(labels: Labels, selector: PolicySelector): boolean {
  const has = (key: string) => Object.keys(labels).includes(key);
  for (const key of Object.keys(selector.matchLabels)) {
    if (!has(key) || labels[key] !== selector.matchLabels[key]) return false;
  }
  for (const { key, operator, values } of selector.matchExpressions) {
    const value = has(key) ? (labels[key] ?? '') : undefined;
    const listed = value !== undefined && values.includes(value);
    const met = {
      In: listed,
      NotIn: !listed,
      Exists: value !== undefined,
      DoesNotExist: value === undefined,
    };
    if (!met[operator]) return false;
  }
  return true;
}

function policedPod(end: End): PolicyPod | undefined {
  return end.kind === 'pod' && !end.pod.hostNetwork ? end.pod : undefined;
}

function isPeer(
  facts: Facts,
  policy: Policy,
  peer: Policy['spec']['ingress'][number]['from'][number],
  far: { readonly end: End; readonly address: IpAddress },
): boolean {
  if (peer.ipBlock !== undefined) {
    const { cidr, except } = peer.ipBlock;
    return prefixContains(cidr, far.address) && except.every((part) => !prefixContains(part, far.address));
  }
  const pod = policedPod(far.end);
  if (pod === undefined) return false;
  if (peer.podSelector !== undefined && !meets(pod.labels, peer.podSelector)) return false;
  if (peer.namespaceSelector === undefined) return pod.namespace === policy.metadata.namespace;
  const namespace = facts.namespaces.find(({ name }) => name === pod.namespace);
  return namespace !== undefined && meets(namespace.labels, peer.namespaceSelector);
}

function isPort(
  { protocol, port, endPort }: Policy['spec']['ingress'][number]['ports'][number],
  attempt: Attempt,
): boolean {
  if (protocol !== attempt.protocol) return false;
  if (typeof port === 'string') {
    const server = policedPod(attempt.to);
    const named = server?.ports.filter(({ name, protocol: own }) => name === port && own === protocol) ?? [];
    return named.some(({ containerPort }) => containerPort === attempt.port);
  }
  return port === undefined || (attempt.port >= port && attempt.port <= (endPort ?? port));
}

/** Whether the policies let the packet that opens the connection leave `from` and reach `to`. */
export function allowed(facts: Facts, attempt: Attempt): boolean {
  const { from, to, family } = attempt;
  const [source, destination] = [addressOf(from, family), addressOf(to, family)];
  if (source === undefined || destination === undefined) return false;
  if (sameAddress(source, destination)) return true;
  const nodeOf = (end: End) =>
    end.kind === 'pod' ? end.pod.node : end.kind === 'node' ? end.node.name : undefined;
  const isNode = (end: End) => end.kind === 'node' || (end.kind === 'pod' && end.pod.hostNetwork);
  if ((isNode(from) || isNode(to)) && nodeOf(from) === nodeOf(to)) return true;

  const directions = [
    { near: from, far: { end: to, address: destination }, type: 'Egress' },
    { near: to, far: { end: from, address: source }, type: 'Ingress' },
  ] as const;
  return directions.every(({ near, far, type }) => {
    const pod = policedPod(near);
    if (pod === undefined) return true;
    const isolating = facts.policies.filter(
      ({ metadata, spec }) =>
        metadata.namespace === pod.namespace &&
        spec.policyTypes.includes(type) &&
        meets(pod.labels, spec.podSelector),
    );
    if (isolating.length === 0) return true;
    return isolating.some((policy) => {
      const rules =
        type === 'Ingress'
          ? policy.spec.ingress.map(({ from: peers, ports }) => ({ peers, ports }))
          : policy.spec.egress.map(({ to: peers, ports }) => ({ peers, ports }));
      return rules.some(
        ({ peers, ports }) =>
          (peers.length === 0 || peers.some((peer) => isPeer(facts, policy, peer, far))) &&
          (ports.length === 0 || ports.some((port) => isPort(port, attempt))),
      );
    });
  });
}
