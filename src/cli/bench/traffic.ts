/** Packets to Services: first packets of flows, as columns. */

import { type Batch, makeBatch } from '../../netfilter/flat/batch.ts';
import { type Allocate, allocatePrivate } from '../../netfilter/flat/word-list.ts';
import { Random } from '../../sim/random.ts';
import type { IpAddress } from '../../wire/ip-address.ts';
import { PROTOCOL } from '../../wire/protocol.ts';
import { podAddress, SERVICE_PORT, type Size, serviceAddress } from './workload.ts';

export const SPREADS = ['first', 'last', 'uniform', 'zipf'] as const;
/** Which Services packets go to; `zipf`: the n-th most wanted 1/n as often as the first. */
export type Spread = (typeof SPREADS)[number];

/** Draws Services: their indexes, 0 to `services` - 1. */
export function serviceDrawer(spread: Spread, services: number, random: Random): () => number {
  switch (spread) {
    case 'first':
      return () => 0;
    case 'last':
      return () => services - 1;
    case 'uniform':
      return () => random.below(services);
    case 'zipf': {
      const sums = new Float64Array(services);
      let sum = 0;
      for (let rank = 0; rank < services; rank++) {
        sum += 1 / (rank + 1);
        sums[rank] = sum;
      }
      // Wanted Services stand anywhere in the rules.
      const places = shuffled(services, random);
      return () => {
        const wanted = (random.uint32() / 2 ** 32) * sum;
        let low = 0;
        let high = services - 1;
        while (low < high) {
          const middle = (low + high) >>> 1;
          if ((sums[middle] ?? 0) <= wanted) low = middle + 1;
          else high = middle;
        }
        return places[low] ?? 0;
      };
    }
  }
}

function shuffled(count: number, random: Random): Int32Array {
  const places = Int32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = random.below(last + 1);
    const kept = places[last] ?? 0;
    places[last] = places[other] ?? 0;
    places[other] = kept;
  }
  return places;
}

function putAddress(column: Uint32Array, row: number, address: IpAddress): void {
  if (typeof address === 'number') column[row] = address;
  else column.set([address.w0, address.w1, address.w2, address.w3], 4 * row);
}

export interface TrafficOptions {
  readonly rows: number;
  readonly spread: Spread;
  readonly seed: number;
  readonly allocate?: Allocate;
}

/** SYNs from pods to Services of a cluster of `size`. */
export function traffic(
  size: Size,
  { rows, spread, seed, allocate = allocatePrivate }: TrafficOptions,
): Batch {
  const { services, endpoints, family } = size;
  const random = new Random(seed);
  const drawService = serviceDrawer(spread, services, random);
  const batch = makeBatch(family, rows, allocate);
  for (let row = 0; row < rows; row++) {
    putAddress(batch.src, row, podAddress(random.below(Math.max(1, services * endpoints)), family));
    putAddress(batch.dst, row, serviceAddress(drawService(), family));
    batch.protocol[row] = PROTOCOL.tcp;
    batch.sport[row] = 32768 + random.below(28_000);
    batch.dport[row] = SERVICE_PORT;
    batch.draw[row] = random.uint32() / 2 ** 32 + random.uint32() / 2 ** 64;
  }
  return batch;
}
