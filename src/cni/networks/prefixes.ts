/** Addresses that follow from networks. */
import { addToAddress, familyOf, type IpAddress, type IpFamily, ipv6 } from '../../wire/ip-address.ts';
import { hostPrefix, type InterfaceAddress, type IpPrefix } from '../../wire/ip-prefix.ts';
import type { NetworkNode } from './network.ts';

/** The first address of `network`: the gateway of a node's pods. */
export function gatewayOf(network: IpPrefix): IpAddress {
  return addToAddress(network.address, 1);
}

/** That address with the length of its network. */
export function gatewayAddress(network: IpPrefix): InterfaceAddress {
  return { address: gatewayOf(network), length: network.length };
}

/** Every address of `family`. */
export function everything(family: IpFamily): IpPrefix {
  return { address: family === 'ipv4' ? 0 : ipv6(0, 0, 0, 0), length: 0 };
}

/** The network of `family` among `prefixes`. */
export function ofFamily(prefixes: readonly IpPrefix[], family: IpFamily): IpPrefix | undefined {
  return prefixes.find(({ address }) => familyOf(address) === family);
}

/** The preferred address of `family` that `node` has. */
export function nodeAddress(node: NetworkNode, family: IpFamily): IpAddress | undefined {
  return node.addresses.find((address) => familyOf(address) === family);
}

/** `address` alone, as a device has it. */
export function alone(address: IpAddress): InterfaceAddress {
  return hostPrefix(address);
}

/** The families that `node` has pods in. */
export function podFamilies(node: NetworkNode): IpFamily[] {
  return node.podCIDRs.map(({ address }) => familyOf(address));
}
