/** Gives every node an address: its own when it has one, else an InternalIP of each family of the node network. */
import { AddressPool } from '../../wire/address-pool.ts';
import { formatIpAddress, type IpAddress, tryParseIpAddress } from '../../wire/ip-address.ts';
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

/** The addresses a node is reached at, in their order: its InternalIPs, or without any its ExternalIPs. */
export function nodeIps(node: Node): IpAddress[] {
  const ofType = (wanted: string) =>
    node.status.addresses.flatMap(({ type, address }) => {
      const ip = type === wanted ? tryParseSloppyIp(address) : undefined;
      return ip === undefined ? [] : [ip];
    });
  const internal = ofType('InternalIP');
  return internal.length > 0 ? internal : ofType('ExternalIP');
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
 * an address keeps what it has: another family is not added to it. Throws InputError when two nodes have
 * the same address, and when a subnet is exhausted.
 */
export function assignNodeAddresses(nodes: readonly Node[], { subnets, reserved }: NodeNetwork): Node[] {
  const owners = ownersOf(nodes);
  const given = [...owners.keys()].flatMap((text) => tryParseIpAddress(text) ?? []);
  const pools = subnets.map((subnet) => poolOf(subnet, [...reserved, ...given]));
  return nodes.map((node) => {
    const hasIp = nodeIps(node).length > 0;
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
    for (const ip of nodeIps(node)) {
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
