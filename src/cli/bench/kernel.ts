/**
 * `bench kernel`: what a packet costs this machine's own kernel under the same rules, with the legacy back end
 * and the nft one. A flow's first packet walks the nat rules, its later ones do not.
 */
import { parsePacket } from '../../wire/headers.ts';
import { sameAddress } from '../../wire/ip-address.ts';
import { BACKENDS, type Backend, KernelNode, nobodysFrame, packetFrame } from './kernel-node.ts';
import { interleave, type Samples, type Side, samplesFor } from './measure.ts';
import { type Syn, syns } from './syns.ts';
import type { Spread } from './traffic.ts';
import { podAddress, rulesText, type Size } from './workload.ts';

export interface KernelResult extends Size {
  readonly backend: Backend;
  readonly spread: Spread;
  /** Nanoseconds of a flow's first packet on its whole way through the node, handing it over taken off. */
  readonly first: number;
  readonly firstP10: number;
  readonly firstP90: number;
  /** The same of a later packet of such a flow. */
  readonly later: number;
  /** What was taken off: a frame that no protocol takes. */
  readonly handingOver: number;
  readonly packets: number;
  readonly rounds: number;
}

/** What the back end's restore program took for the rules. */
export interface KernelLoading extends Size {
  readonly backend: Backend;
  readonly milliseconds: number;
}

/** Nanoseconds that the packets of a round may take, and what a rule costs at most. */
const ROUND_BUDGET = 1e8;
const RULE_COST = 8;
const MOST_PACKETS = 1000;
const FEWEST_PACKETS = 50;

/** Packets for one spread, as frames. */
export interface KernelTraffic {
  readonly size: Size;
  readonly spread: Spread;
  readonly syns: readonly Syn[];
  readonly frames: readonly Uint8Array[];
  readonly nobodys: readonly Uint8Array[];
}

export function kernelTraffic(size: Size, spread: Spread, seed: number): KernelTraffic {
  const affordable = Math.floor(ROUND_BUDGET / (RULE_COST * size.services));
  const count = Math.max(FEWEST_PACKETS, Math.min(MOST_PACKETS, affordable));
  const packets = syns(size, { count, spread, seed });
  return {
    size,
    spread,
    syns: packets,
    frames: packets.map(({ bytes }) => packetFrame(size.family, bytes)),
    nobodys: packets.map(({ bytes }) => nobodysFrame(bytes)),
  };
}

/** One node for each back end, with the rules of a cluster of `size`. Throws KernelUnavailable. */
export function kernelNodes(size: Size, text = rulesText(size)): readonly KernelNode[] {
  const nodes: KernelNode[] = [];
  try {
    for (const backend of BACKENDS) nodes.push(KernelNode.make({ backend, family: size.family, text }));
    return nodes;
  } catch (error) {
    for (const node of nodes) node.close();
    throw error;
  }
}

/** Throws Error unless `node` sends every packet on to an endpoint of the Service it is for. */
export function checkKernel(node: KernelNode, { size, syns: sent, frames }: KernelTraffic): void {
  const { endpoints, family } = size;
  node.forgetFlows();
  node.collect();
  node.receive(frames);
  const left = node.collect().map(parsePacket);
  if (left.length !== sent.length) {
    throw new Error(`the kernel (${node.backend}) sent ${left.length} of ${sent.length} packets on`);
  }
  for (const [index, { service }] of sent.entries()) {
    const dst = left[index]?.dst;
    const pods = Array.from({ length: endpoints }, (_, n) => podAddress(service * endpoints + n, family));
    if (dst === undefined || !pods.some((pod) => sameAddress(pod, dst))) {
      throw new Error(`the kernel (${node.backend}) sent packet ${index} to no endpoint of its Service`);
    }
  }
}

type Part = 'first' | 'later' | 'handing over';
export type KernelSide = `${Backend} ${Part}`;

/** What is timed on `node`, in this order: the flows of `first` are those of `later`. */
export function kernelSides(
  node: KernelNode,
  { frames, nobodys }: KernelTraffic,
): readonly Side<KernelSide>[] {
  const { backend } = node;
  const collect = () => void node.collect();
  return [
    { name: `${backend} handing over`, prepare: collect, run: () => node.receive(nobodys) },
    {
      name: `${backend} first`,
      prepare: () => {
        node.collect();
        node.forgetFlows();
      },
      run: () => node.receive(frames),
    },
    { name: `${backend} later`, prepare: collect, run: () => node.receive(frames) },
  ];
}

/** The figures of `backend` from what `interleave` measured. */
export function kernelResult(
  backend: Backend,
  { size, spread, frames }: KernelTraffic,
  measured: ReadonlyMap<string, Samples>,
): KernelResult {
  const samples = (part: Part) => samplesFor(measured, `${backend} ${part}`);
  const each = (nanoseconds: number) => nanoseconds / frames.length;
  const first = samples('first');
  const handingOver = each(samples('handing over').median);
  return {
    ...size,
    backend,
    spread,
    first: each(first.median) - handingOver,
    firstP10: each(first.p10) - handingOver,
    firstP90: each(first.p90) - handingOver,
    later: each(samples('later').median) - handingOver,
    handingOver,
    packets: frames.length,
    rounds: first.rounds,
  };
}

export interface KernelReport {
  readonly results: readonly KernelResult[];
  readonly loading: readonly KernelLoading[];
}

export interface KernelOptions {
  readonly size: Size;
  readonly spreads: readonly Spread[];
  readonly rounds: number;
  readonly seed: number;
}

/** Measures both back ends, taking turns. Throws KernelUnavailable where the kernel cannot be asked. */
export async function benchKernel({ size, spreads, rounds, seed }: KernelOptions): Promise<KernelReport> {
  const nodes = kernelNodes(size);
  try {
    const results: KernelResult[] = [];
    for (const spread of spreads) {
      const traffic = kernelTraffic(size, spread, seed);
      for (const node of nodes) checkKernel(node, traffic);
      const sides = nodes.flatMap((node) => kernelSides(node, traffic));
      const measured = await interleave(sides, { rounds, warmUp: Math.ceil(rounds / 4) });
      results.push(...nodes.map(({ backend }) => kernelResult(backend, traffic, measured)));
    }
    return {
      results,
      loading: nodes.map(({ backend, loading }) => ({ ...size, backend, milliseconds: loading })),
    };
  } finally {
    for (const node of nodes) node.close();
  }
}
