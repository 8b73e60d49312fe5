/** Pods as hosts: one device, everything through the node's side of the veth, no rules of their own. */
import { AddressBook } from '../../netstack/addressing.ts';
import { DEFAULT_DEVICE_SYSCTLS, type Device } from '../../netstack/device.ts';
import type { Route } from '../../netstack/route-table.ts';
import { familyOf, type IpAddress } from '../../wire/ip-address.ts';
import { hostPrefix, type IpPrefix } from '../../wire/ip-prefix.ts';
import { type HostPlan, NO_RULES, once } from './host-plan.ts';
import { listensOn } from './listeners.ts';
import type { NetworkPod } from './pod-endpoints.ts';

/** A pod's own name for its end of the veth. */
export const POD_DEVICE = 'eth0';

/** Everything, in the family of `like`. */
export function everywhere(like: IpAddress): IpPrefix {
  return { address: typeof like === 'number' ? 0 : { w0: 0, w1: 0, w2: 0, w3: 0 }, length: 0 };
}

/** Routes of a host that reaches everything through `gateways` on `device`. */
export function routesVia(gateways: readonly IpAddress[], device: string): Route[] {
  return gateways.flatMap((gateway): Route[] => [
    { type: 'unicast', prefix: hostPrefix(gateway), device, metric: 0 },
    { type: 'unicast', prefix: everywhere(gateway), device, gateway, metric: 0 },
  ]);
}

/** Plans `pod`, whose node's side of the veth has `gateways`. */
export function planPod(pod: NetworkPod, gateways: readonly IpAddress[]): HostPlan {
  const device: Device = {
    ...DEFAULT_DEVICE_SYSCTLS,
    forwarding: false,
    name: POD_DEVICE,
    addresses: pod.addresses.map(hostPrefix),
  };
  const own = gateways.filter((gateway) =>
    pod.addresses.some((address) => familyOf(address) === familyOf(gateway)),
  );
  return {
    label: pod.label,
    kind: 'pod',
    node: pod.node,
    addresses: once(() => new AddressBook([device], routesVia(own, POD_DEVICE))),
    ownAddresses: pod.addresses,
    listens: listensOn(pod.ports),
    rules: NO_RULES,
  };
}
