/** The addresses of a node, as kube-proxy finds them. */
import type { Node } from '../kube/objects.ts';
import { familyOf, type IpAddress, type IpFamily, parseIpAddress, sameAddress } from '../wire/ip-address.ts';
import { addressesOfFamily } from './family-addresses.ts';

const LOOPBACK: Readonly<Record<IpFamily, IpAddress>> = {
  ipv4: parseIpAddress('127.0.0.1'),
  ipv6: parseIpAddress('::1'),
};

const UNSPECIFIED: Readonly<Record<IpFamily, IpAddress>> = {
  ipv4: parseIpAddress('0.0.0.0'),
  ipv6: parseIpAddress('::'),
};

/** Every address of `family` that the node answers to: those of its status, then loopback; each once. */
export function localAddresses(node: Node, family: IpFamily): readonly IpAddress[] {
  const written = node.status.addresses.map(({ address }) => address);
  const all = [...addressesOfFamily(written, family), LOOPBACK[family]];
  return all.filter((address, index) => all.findIndex((other) => sameAddress(address, other)) === index);
}

/**
 * The node's own address in `family`: `bindAddress` when it is one of that family and not unspecified, else the Node's first
 * InternalIP, then ExternalIP, else loopback.
 * Source: cmd/kube-proxy/app/server.go (detectNodeIPs), Kubernetes 1.30.
 */
export function nodeIpOf(node: Node, family: IpFamily, bindAddress: IpAddress): IpAddress {
  if (familyOf(bindAddress) === family && !sameAddress(bindAddress, UNSPECIFIED[family])) return bindAddress;
  const typed = (type: string) =>
    node.status.addresses.flatMap((entry) => (entry.type === type ? [entry.address] : []));
  const [first] = addressesOfFamily([...typed('InternalIP'), ...typed('ExternalIP')], family);
  return first ?? LOOPBACK[family];
}
