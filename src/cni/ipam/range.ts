/**
 * IPAM ranges as the host-local plugin completes them (containernetworking/plugins, plugins/ipam/host-local,
 * range.go Canonicalize): the gateway is the subnet's first address, and the range ends before the broadcast
 * address, which IPv6 does not have.
 */
import { Netmask } from 'netmask';
import { InputError } from '../../sim/input-error.ts';
import { addressBits, addToAddress, type IpAddress, parseIpAddress } from '../../wire/ip-address.ts';
import { formatIpPrefix, type IpPrefix } from '../../wire/ip-prefix.ts';

export interface IpamRange {
  readonly subnet: IpPrefix;
  readonly gateway: IpAddress;
  /** Offsets from the network's address, both included. */
  readonly firstOffset: number;
  readonly lastOffset: number;
}

/** Subnets beyond this many addresses are cut to it; offsets stay exact numbers. */
const MOST_ADDRESSES = 2 ** 32;

function ipv4Range(subnet: IpPrefix): IpamRange {
  const block = new Netmask(formatIpPrefix(subnet));
  const offsetOf = (text: string) => Number(parseIpAddress(text)) - Number(subnet.address);
  return {
    subnet,
    gateway: parseIpAddress(block.first),
    firstOffset: offsetOf(block.first),
    lastOffset: offsetOf(block.last),
  };
}

function ipv6Range(subnet: IpPrefix): IpamRange {
  const size = Math.min(2 ** (addressBits('ipv6') - subnet.length), MOST_ADDRESSES);
  return { subnet, gateway: addToAddress(subnet.address, 1), firstOffset: 1, lastOffset: size - 1 };
}

/**
 * The range of a node's pod network. Throws InputError when it is a /31 or longer (/127 for IPv6): host-local
 * refuses those, as they have no room for a gateway and a pod.
 */
export function rangeOf(subnet: IpPrefix): IpamRange {
  const isIpv4 = typeof subnet.address === 'number';
  if (addressBits(isIpv4 ? 'ipv4' : 'ipv6') - subnet.length < 2) {
    throw new InputError(`the pod network ${formatIpPrefix(subnet)} is too small: it has no room for pods`);
  }
  return isIpv4 ? ipv4Range(subnet) : ipv6Range(subnet);
}
