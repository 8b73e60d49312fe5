/** Gives every node an InternalIP of each family: its own when it has one, else one of the node network. */
import { AddressPool } from '../../wire/address-pool.ts';
import {
  familyOf,
  formatIpAddress,
  type IpAddress,
  type IpFamily,
  tryParseIpAddress,
} from '../../wire/ip-address.ts';
import { formatIpPrefix, type IpPrefix } from '../../wire/ip-prefix.ts';
import type { Node } from '../objects.ts';
import { describeObject, describeOrigin, refusal } from '../refusal.ts';
import { tryParseSloppyIp } from '../sloppy-address.ts';

export interface NodeNetwork {
  /** One a family; only nodes without an address of that family draw from it. */
  readonly subnets: readonly IpPrefix[];
  /** Addresses that are not for nodes: gateways, outside hosts. */
  readonly reserved: readonly IpAddress[];
}

/** The node's InternalIPs, in their order. */
export function internalIps(node: Node): IpAddress[] {
  return node.status.addresses.flatMap(({ type, address }) => {
    const ip = type === 'InternalIP' ? tryParseSloppyIp(address) : undefined;
    return ip === undefined ? [] : [ip];
  });
}

/** Where nodes start in the subnet: after the network's address and the router's. */
const FIRST_NODE_OFFSET = 2;

function poolOf(subnet: IpPrefix, taken: Iterable<IpAddress>): AddressPool {
  const all = new AddressPool(subnet);
  const pool = new AddressPool(subnet, FIRST_NODE_OFFSET, all.lastOffset - 1);
  for (const address of taken) pool.reserve(address);
  return pool;
}

/**
 * `nodes` with their missing InternalIPs and Hostname, lowest free addresses in node order. A node that has
 * an InternalIP keeps what it has: another family is not added to it. Throws InputError when two nodes have
 * the same address, and when a subnet is exhausted.
 */
export function assignNodeAddresses(nodes: readonly Node[], { subnets, reserved }: NodeNetwork): Node[] {
  const owners = ownersOf(nodes);
  const given = [...owners.keys()].flatMap((text) => tryParseIpAddress(text) ?? []);
  const pools = subnets.map((subnet) => poolOf(subnet, [...reserved, ...given]));
  return nodes.map((node) => {
    const hasIp = internalIps(node).length > 0;
    const missing = hasIp
      ? []
      : pools.map((pool) => ({ type: 'InternalIP', address: nextAddress(pool, node) }));
    const hasHostname = node.status.addresses.some(({ type }) => type === 'Hostname');
    const hostname = hasHostname ? [] : [{ type: 'Hostname', address: node.metadata.name }];
    if (missing.length + hostname.length === 0) return node;
    return {
      ...node,
      status: { ...node.status, addresses: [...node.status.addresses, ...missing, ...hostname] },
    };
  });
}

function nextAddress(pool: AddressPool, node: Node): string {
  const address = pool.allocate();
  if (address !== undefined) return formatIpAddress(address);
  throw refusal(node, [], `no address is left in the node network ${formatIpPrefix(pool.subnet)}`);
}

/** Who has which address, by its canonical text. */
function ownersOf(nodes: readonly Node[]): Map<string, Node> {
  const owners = new Map<string, Node>();
  for (const node of nodes) {
    for (const ip of internalIps(node)) {
      const text = formatIpAddress(ip);
      const other = owners.get(text);
      if (other !== undefined && other !== node) {
        const where = `${describeObject(other)} (${describeOrigin(other.origin)})`;
        throw refusal(node, ['status', 'addresses'], `${text} is the address of ${where} too`);
      }
      owners.set(text, node);
    }
  }
  return owners;
}

/** The families in which a node has an InternalIP, first one first. */
export function nodeFamilies(node: Node): IpFamily[] {
  return [...new Set(internalIps(node).map(familyOf))];
}
