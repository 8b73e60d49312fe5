/**
 * The compiled engine: the reference traversal, shown only the rules that can match. Answers, counters,
 * random draws and traces are the reference's own; the time a lookup takes no longer grows with the chain.
 */
import { protocolOf } from '../../wire/packet.ts';
import type { LoadedChain } from '../loaded-rules.ts';
import type { RuleFinder } from '../rule-finder.ts';
import type { Skb } from '../skb.ts';
import { ChainIndex, type PacketFields } from './chain-index.ts';

/** Shorter chains are walked: hashing would cost more than it saves. */
const SHORT_CHAIN = 8;

/** The fields of packets whose headers are whole; undefined for fragments and cut-off headers. */
function fieldsOf({ packet }: Skb): PacketFields | undefined {
  const { src, dst, transport, fragment } = packet;
  // What rules read from those differs from back end to back end: they are shown every rule.
  if (fragment !== undefined || transport.kind === 'opaque') return undefined;
  const dport = 'dport' in transport ? transport.dport : undefined;
  return { src, dst, protocol: protocolOf(packet), dport };
}

export class CompiledFinder implements RuleFinder {
  /** Chains are immutable and shared by forks, so their indexes are made once, when first walked. */
  readonly #indexes = new WeakMap<LoadedChain, ChainIndex>();
  readonly #shortChain: number;

  /** Chains of fewer than `shortChain` rules are walked instead. */
  constructor(shortChain = SHORT_CHAIN) {
    this.#shortChain = shortChain;
  }

  next(chain: LoadedChain, from: number, skb: Skb): number {
    if (chain.rules.length < this.#shortChain) return from;
    const fields = fieldsOf(skb);
    if (fields === undefined) return from;
    let index = this.#indexes.get(chain);
    if (index === undefined) {
      index = new ChainIndex(chain);
      this.#indexes.set(chain, index);
    }
    return index.next(from, fields);
  }
}
