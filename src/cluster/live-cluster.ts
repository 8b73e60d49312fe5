/**
 * A cluster in which everything runs: the network, and in every pod and host outside what its ports say.
 * A pod's programs start when the first packet reaches them.
 */
import type { IpAddress } from '../wire/ip-address.ts';
import { type AppCluster, type AppPod, startAppsLater } from './apps/start-apps.ts';
import type { ClusterObjects } from './derive.ts';
import { ClusterNetwork } from './network/cluster-network.ts';
import { type AnyHostPlan, planNetwork } from './network/network-plan.ts';

export interface LiveOptions {
  readonly seed: number;
  /** Addresses outside that take part without being described anywhere. */
  readonly strangers?: readonly IpAddress[];
}

/** What runs on the host of `plan`; undefined: nothing. A node runs what its pods on the host's network run. */
function programsOf(plan: AnyHostPlan, cluster: ClusterObjects): readonly AppPod[] {
  switch (plan.kind) {
    case 'pod':
      return [{ name: plan.pod.name, ports: plan.pod.ports }];
    case 'outside':
      return [{ name: plan.label.slice(plan.label.indexOf('/') + 1), ports: [] }];
    case 'node': {
      const { name } = plan.object.metadata;
      return cluster.pods
        .filter(({ spec }) => spec.hostNetwork && spec.nodeName === name && spec.ports.length > 0)
        .map(({ metadata, spec }) => ({ name: metadata.name, ports: spec.ports }));
    }
    case 'router':
      return [];
  }
}

/** Brings `cluster` to life. Throws InputError for what its topology says of hosts there are not. */
export function liveCluster(cluster: ClusterObjects, { seed, strangers = [] }: LiveOptions): ClusterNetwork {
  const surroundings: AppCluster = { view: () => cluster };
  return new ClusterNetwork(planNetwork(cluster, strangers), {
    seed,
    inhabit(namespace, plan) {
      for (const program of programsOf(plan, cluster)) startAppsLater(namespace, program, surroundings);
    },
  });
}
