/**
 * A pod joined to its node: a veth with one end on each side, and on both sides what the network's plugin
 * configures. The pod's own side is made when somebody needs it, so that a pod nobody talks to costs its node a
 * device and a route.
 */
import type { Impairments } from '../../netstack/link/impairments.ts';
import type { Interface } from '../../netstack/link/interface.ts';
import { createVethPair, type VethPair } from '../../netstack/link/veth.ts';
import type { Namespace } from '../../netstack/namespace.ts';
import { familyOf, type IpAddress, type IpFamily } from '../../wire/ip-address.ts';
import { hostPrefix, type InterfaceAddress, type IpPrefix, prefixContains } from '../../wire/ip-prefix.ts';
import { sha1Hex } from '../hash-names.ts';
import { CALICO_GATEWAY, CALICO_GATEWAY_V6, CALICO_HOST_MAC, calicoDevice } from './calico.ts';
import type { NodeNetworkPlan, PodPlumbing } from './network.ts';
import { everything, gatewayOf, ofFamily } from './prefixes.ts';

export interface PodAttachment {
  /** What the node's end is called (podDeviceName). */
  readonly device: string;
  /** At most one a family. */
  readonly addresses: readonly IpAddress[];
  /** The pod's namespace, asked for when the first frame reaches it or `far()` is called. */
  readonly namespace: () => Namespace;
  /** The pod's own end; by default eth0. */
  readonly podDevice?: string;
  /** What happens to frames on the veth, either way. */
  readonly impairments?: Impairments;
}

/** Which pod, by its API names. */
export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

/**
 * The name of the node's end: Calico's follows from the pod's name in a known way; the plugins' is random in
 * reality, and follows from the pod's name here, so that it stays the same whatever comes and goes beside it.
 */
export function podDeviceName(plumbing: PodPlumbing, pod: PodName, prefix = 'veth'): string {
  if (plumbing.kind === 'proxy-arp') return calicoDevice(pod);
  return `${prefix}${sha1Hex(`${pod.namespace}/${pod.name}`).slice(0, 8)}`.slice(0, 15);
}

/** `address` with the network it is in, and that network's gateway. */
interface PodNetwork {
  readonly address: IpAddress;
  readonly family: IpFamily;
  /** Alone when the address is of no pod network of the node. */
  readonly network: IpPrefix;
  readonly gateway: IpAddress | undefined;
}

function networksOf({ podCIDRs }: NodeNetworkPlan, addresses: readonly IpAddress[]): PodNetwork[] {
  return addresses.map((address) => {
    const family = familyOf(address);
    const around = podCIDRs.find((prefix) => prefixContains(prefix, address));
    const gateways = around ?? ofFamily(podCIDRs, family);
    return {
      address,
      family,
      network: around ?? hostPrefix(address),
      gateway: gateways === undefined ? undefined : gatewayOf(gateways),
    };
  });
}

const isAlone = ({ network, address }: PodNetwork) => network.length === hostPrefix(address).length;

function unicast(prefix: IpPrefix, device: Interface, more: { gateway?: IpAddress; src?: IpAddress } = {}) {
  return { type: 'unicast', prefix, device: device.name, metric: 0, ...more } as const;
}

/** What the node's side has to get, and the pod's. */
interface Sides {
  readonly node: (device: Interface) => void;
  readonly pod: (device: Interface) => void;
}

/** The ptp plugin (setupContainerVeth, setupHostVeth). */
function ptpSides(networks: readonly PodNetwork[]): Sides {
  return {
    node(device) {
      const { namespace } = device;
      for (const { address, gateway } of networks) {
        if (gateway !== undefined) namespace.addAddress(device, hostPrefix(gateway));
        namespace.addRoute(unicast(hostPrefix(address), device));
      }
    },
    pod(device) {
      const { namespace } = device;
      for (const each of networks) {
        const { address, family, network, gateway } = each;
        namespace.addAddress(device, { address, length: network.length, noPrefixRoute: true });
        if (gateway === undefined) continue;
        namespace.addRoute(unicast(hostPrefix(gateway), device, { src: address }));
        if (!isAlone(each)) namespace.addRoute(unicast(network, device, { gateway, src: address }));
        namespace.addRoute(unicast(everything(family), device, { gateway }));
      }
    },
  };
}

/** The bridge plugin as flannel configures it. */
function bridgeSides(
  networks: readonly PodNetwork[],
  plumbing: Extract<PodPlumbing, { kind: 'bridge' }>,
): Sides {
  return {
    node(device) {
      const { namespace } = device;
      namespace.setMaster(device, namespace.interface(plumbing.bridge));
      namespace.setBridgePort(device, { hairpin: plumbing.hairpinMode });
      for (const each of networks) {
        if (isAlone(each)) {
          const bridge = namespace.interface(plumbing.bridge);
          if (bridge !== undefined) namespace.addRoute(unicast(hostPrefix(each.address), bridge));
        }
      }
    },
    pod(device) {
      const { namespace } = device;
      for (const each of networks) {
        const { address, family, network, gateway } = each;
        const own: InterfaceAddress = { address, length: network.length };
        namespace.addAddress(device, own);
        if (gateway === undefined) continue;
        if (isAlone(each)) namespace.addRoute(unicast(hostPrefix(gateway), device));
        for (const prefix of plumbing.routes) {
          if (familyOf(prefix.address) === family) namespace.addRoute(unicast(prefix, device, { gateway }));
        }
        namespace.addRoute(unicast(everything(family), device, { gateway }));
      }
    },
  };
}

/** What the Calico plugin sets on the node's end (configureSysctls). */
function calicoSysctls(device: string, families: readonly IpFamily[]): Readonly<Record<string, string>> {
  const ipv4 = {
    [`net.ipv4.conf.${device}.route_localnet`]: '1',
    [`net.ipv4.neigh.${device}.proxy_delay`]: '0',
    [`net.ipv4.conf.${device}.proxy_arp`]: '1',
    [`net.ipv4.conf.${device}.forwarding`]: '1',
  };
  const ipv6 = {
    [`net.ipv6.conf.${device}.accept_dad`]: '0',
    [`net.ipv6.conf.${device}.proxy_ndp`]: '1',
    [`net.ipv6.conf.${device}.forwarding`]: '1',
  };
  return { ...(families.includes('ipv4') ? ipv4 : {}), ...(families.includes('ipv6') ? ipv6 : {}) };
}

/** The Calico plugin (DoWorkloadNetnsSetUp, SetupRoutes). */
function calicoSides(networks: readonly PodNetwork[]): Sides {
  const families = networks.map(({ family }) => family);
  return {
    node(device) {
      const { namespace } = device;
      for (const [name, value] of Object.entries(calicoSysctls(device.name, families))) {
        namespace.setSysctl(name, value);
      }
      for (const { address } of networks) namespace.addRoute(unicast(hostPrefix(address), device));
    },
    pod(device) {
      const { namespace } = device;
      for (const { address, family } of networks) {
        const gateway = family === 'ipv4' ? CALICO_GATEWAY : CALICO_GATEWAY_V6;
        namespace.addAddress(device, hostPrefix(address));
        // In IPv6 the gateway has the address that every device makes of its MAC, which is on the link.
        if (family === 'ipv4') namespace.addRoute(unicast(hostPrefix(gateway), device));
        namespace.addRoute(unicast(everything(family), device, { gateway }));
      }
    },
  };
}

function sidesOf({ pods }: NodeNetworkPlan, networks: readonly PodNetwork[]): Sides {
  switch (pods.kind) {
    case 'ptp':
      return ptpSides(networks);
    case 'bridge':
      return bridgeSides(networks, pods);
    case 'proxy-arp':
      return calicoSides(networks);
  }
}

/**
 * Joins a pod to `node`, to which `plan` was applied. The node's end is there at once; the pod's namespace is
 * asked for, and its end configured, by the first frame or by `far()`. Throws RangeError when the node has a
 * device of that name.
 */
export function attachPod(node: Namespace, plan: NodeNetworkPlan, pod: PodAttachment): VethPair {
  const sides = sidesOf(plan, networksOf(plan, pod.addresses));
  const mtu = plan.podMtu;
  return createVethPair(
    {
      namespace: node,
      name: pod.device,
      mtu,
      up: true,
      made: sides.node,
      ...(plan.pods.kind === 'proxy-arp' ? { mac: CALICO_HOST_MAC } : {}),
      ...(pod.impairments === undefined ? {} : { impairments: pod.impairments }),
    },
    () => ({
      namespace: pod.namespace(),
      name: pod.podDevice ?? 'eth0',
      mtu,
      up: true,
      made: sides.pod,
      ...(pod.impairments === undefined ? {} : { impairments: pod.impairments }),
    }),
  );
}
