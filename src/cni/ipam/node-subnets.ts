/**
 * Which part of the cluster's pod network each node has: what its Node object says, else the lowest block
 * that is free, in node order (kube-controller-manager's range allocator, pkg/controller/nodeipam/ipam).
 */
import { InputError } from '../../sim/input-error.ts';
import { familyOf, type IpFamily, ipv6 } from '../../wire/ip-address.ts';
import { formatIpPrefix, type IpPrefix, prefixesOverlap } from '../../wire/ip-prefix.ts';

/** kube-controller-manager's --node-cidr-mask-size-ipv4 and -ipv6. */
const NODE_MASK: Readonly<Record<IpFamily, number>> = { ipv4: 24, ipv6: 64 };

/** kube-controller-manager refuses to cut a network into more than 2^16 blocks. */
const MOST_BLOCK_BITS = 16;

export interface NodeSubnetRequest {
  readonly nodeName: string;
  /** As the Node object has them; empty when they are to be allocated. */
  readonly given: readonly IpPrefix[];
  readonly origin: { readonly file: string; readonly line: number };
}

interface Taken {
  readonly prefix: IpPrefix;
  readonly owner: NodeSubnetRequest;
}

/** The `block`-th network of length `length` (24 for IPv4, 64 for IPv6) in `network`. */
function nthBlock(network: IpPrefix, length: number, block: number): IpPrefix {
  const { address } = network;
  // The bits between the two lengths are zero in a network's address, so that nothing carries.
  if (typeof address === 'number') return { address: (address | (block * 2 ** (32 - length))) >>> 0, length };
  return { address: ipv6(address.w0, address.w1 | block, 0, 0), length };
}

/** The blocks of `network` that overlap none of `taken`, lowest first. */
function* freeBlocks(network: IpPrefix, taken: readonly Taken[]): Generator<IpPrefix, undefined> {
  const mask = NODE_MASK[familyOf(network.address)];
  const bits = mask - network.length;
  if (bits < 0) {
    throw new InputError(`the pod subnet ${formatIpPrefix(network)} is smaller than one node's /${mask}`);
  }
  if (bits > MOST_BLOCK_BITS) {
    throw new InputError(
      `the pod subnet ${formatIpPrefix(network)} is too large for a /${mask} a node; the largest is a /${mask - MOST_BLOCK_BITS}`,
    );
  }
  for (let block = 0; block < 2 ** bits; block++) {
    const prefix = nthBlock(network, mask, block);
    if (!taken.some((other) => prefixesOverlap(other.prefix, prefix))) yield prefix;
  }
  return undefined;
}

/**
 * Each node's pod networks, by node name: those given, else a block of each of `clusterNetworks` (a /24 or a
 * /64). Throws InputError when two nodes' given networks overlap, when a cluster network is of a size that
 * kube-controller-manager refuses, and when one has no block left.
 */
export function allocateNodeSubnets(
  requests: readonly NodeSubnetRequest[],
  clusterNetworks: readonly IpPrefix[],
): Map<string, readonly IpPrefix[]> {
  const taken: Taken[] = [];
  for (const owner of requests) for (const prefix of owner.given) take(taken, { prefix, owner });
  const pools = clusterNetworks.map((network) => ({ network, blocks: freeBlocks(network, taken) }));
  return new Map(
    requests.map((request) => {
      if (request.given.length > 0) return [request.nodeName, request.given];
      const prefixes = pools.map(({ network, blocks }) => {
        const prefix = blocks.next().value;
        if (prefix !== undefined) return prefix;
        throw new InputError(
          `no pod subnet is left in ${formatIpPrefix(network)} for Node ${request.nodeName}`,
          request.origin,
        );
      });
      return [request.nodeName, prefixes];
    }),
  );
}

function take(taken: Taken[], next: Taken): void {
  const clash = taken.find((other) => prefixesOverlap(other.prefix, next.prefix));
  if (clash !== undefined) {
    const { nodeName, origin } = clash.owner;
    throw new InputError(
      `Node ${next.owner.nodeName}: podCIDR ${formatIpPrefix(next.prefix)} overlaps ` +
        `${formatIpPrefix(clash.prefix)} of Node ${nodeName} (${origin.file}:${origin.line})`,
      { file: next.owner.origin.file, line: next.owner.origin.line },
    );
  }
  taken.push(next);
}
