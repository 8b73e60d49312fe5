/** Pods as plans: one device, no rules of their own. */
import type { IpAddress } from '../../wire/ip-address.ts';
import type { IpPrefix } from '../../wire/ip-prefix.ts';
import { type HostPlan, NO_RULES } from './host-plan.ts';
import { listensOn } from './listeners.ts';
import type { NetworkPod } from './pod-endpoints.ts';

/** A pod's own name for its end of the veth. */
export const POD_DEVICE = 'eth0';

/** Everything, in the family of `like`. */
export function everywhere(like: IpAddress): IpPrefix {
  return { address: typeof like === 'number' ? 0 : { w0: 0, w1: 0, w2: 0, w3: 0 }, length: 0 };
}

export interface PodPlan extends HostPlan {
  readonly kind: 'pod';
  readonly node: string;
  readonly pod: NetworkPod;
}

export function planPod(pod: NetworkPod): PodPlan {
  return {
    label: pod.label,
    kind: 'pod',
    node: pod.node,
    pod,
    ownAddresses: pod.addresses,
    listens: listensOn(pod.ports),
    rules: NO_RULES,
  };
}
