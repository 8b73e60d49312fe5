/**
 * kind.x-k8s.io/v1alpha4 Cluster: the file that `kind create cluster --config` takes, reduced to what decides
 * about nodes and networks, with kind's own defaults (pkg/apis/config/v1alpha4/default.go).
 */
import type { IpPrefix } from '../wire/ip-prefix.ts';
import type { ProxyMode } from './kube-proxy-configuration.ts';
import type { Origin } from './objects.ts';

export type KindRole = 'control-plane' | 'worker';

export interface KindNode {
  readonly role: KindRole;
  readonly labels: Readonly<Record<string, string>>;
  readonly origin: Origin;
}

export type KindIpFamily = 'ipv4' | 'ipv6' | 'dual';

export interface KindCluster {
  readonly name: string;
  /** As written; empty when the file names none, and then there is one control-plane node. */
  readonly nodes: readonly KindNode[];
  readonly networking: {
    readonly ipFamily: KindIpFamily;
    /** One network a family. */
    readonly podSubnets: readonly IpPrefix[];
    readonly serviceSubnets: readonly IpPrefix[];
    /** True when the file names serviceSubnet itself. */
    readonly serviceSubnetGiven: boolean;
    readonly kubeProxyMode: ProxyMode;
    readonly disableDefaultCNI: boolean;
  };
  readonly origin: Origin;
}

/** kind's names: the first node of a role has no number, then they count from 2. */
export function kindNodeNames(clusterName: string, roles: readonly KindRole[]): string[] {
  const counts = new Map<KindRole, number>();
  return roles.map((role) => {
    const count = (counts.get(role) ?? 0) + 1;
    counts.set(role, count);
    return `${clusterName}-${role}${count === 1 ? '' : count}`;
  });
}
