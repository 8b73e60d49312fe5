/** The cluster's NetworkPolicies, and the pods and namespaces they speak of, as the policy rules take them. */

import type { PolicyNamespace, PolicyPod } from '../../cni/policy/policy.ts';
import { PolicyIndex } from '../../cni/policy/policy-index.ts';
import { isTerminal } from '../../kube/controllers/scheduler.ts';
import type { Pod } from '../../kube/objects.ts';
import { tryParseIpAddress } from '../../wire/ip-address.ts';
import type { ClusterObjects } from '../derive.ts';
import { enforcesPolicies } from './cluster-network-choice.ts';

/** The label that the API server gives every namespace. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

function policyPod(pod: Pod): PolicyPod[] {
  const { metadata, spec, status } = pod;
  const { nodeName: node, ports, hostNetwork } = spec;
  // The addresses of a pod that has ended may be somebody else's.
  if (node === undefined || isTerminal(pod)) return [];
  const { namespace, name, labels } = metadata;
  const addresses = status.podIPs.flatMap((text) => tryParseIpAddress(text) ?? []);
  return [{ namespace, name, node, labels, addresses, ports, hostNetwork }];
}

/** Namespaces that are given, and those that somebody is in. */
function namespacesOf({ others, pods, networkPolicies }: ClusterObjects): PolicyNamespace[] {
  const labels = new Map<string, Readonly<Record<string, string>>>();
  for (const { metadata } of [...pods, ...networkPolicies]) labels.set(metadata.namespace, {});
  for (const { kind, metadata } of others)
    if (kind === 'Namespace') labels.set(metadata.name, metadata.labels);
  return [...labels].map(([name, own]) => ({ name, labels: { ...own, [NAME_LABEL]: name } }));
}

/** The index of `cluster`'s policies; undefined when there are none, or its network does not act on them. */
export function policyIndex(cluster: ClusterObjects): PolicyIndex | undefined {
  const { networkPolicies: policies, pods } = cluster;
  if (policies.length === 0 || !enforcesPolicies(cluster)) return undefined;
  return new PolicyIndex({ pods: pods.flatMap(policyPod), namespaces: namespacesOf(cluster), policies });
}
