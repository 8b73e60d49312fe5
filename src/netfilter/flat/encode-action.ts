/** A rule's target as the words of its action. */

import { sameAddress } from '../../wire/ip-address.ts';
import type { NatTarget, Target } from '../target.ts';
import { wordsOf } from './encode-tests.ts';
import { ACTION } from './layout.ts';

/** A DNAT to one address, one port, or both: nothing is left to choose. */
function isFixed({ range: { addresses, ports } }: NatTarget): boolean {
  const fixedAddress = addresses === undefined || sameAddress(addresses.from, addresses.to);
  return fixedAddress && (ports === undefined || (ports.base === undefined && ports.from === ports.to));
}

/**
 * Writes the action of `target` to `words` at `at`, where there are ACTION_WORDS zeros; `chainNumber` numbers
 * the chains that it may lead to.
 */
export function writeAction(
  words: Int32Array,
  at: number,
  target: Target,
  chainNumber: (chain: string) => number,
): void {
  switch (target.kind) {
    // The last one changes bytes that no column holds and no rule looks at.
    case 'none':
    case 'log':
    case 'checksum':
      words[at] = ACTION.next;
      return;
    case 'jump':
    case 'goto':
      words[at] = ACTION[target.kind];
      words[at + 1] = chainNumber(target.chain);
      return;
    case 'return':
    case 'accept':
    case 'drop':
    case 'reject':
      words[at] = ACTION[target.kind];
      return;
    case 'mark':
      words[at] = ACTION.mark;
      words[at + 1] = ~target.mask;
      words[at + 2] = target.value;
      return;
    case 'dnat': {
      words[at] = isFixed(target) ? ACTION.dnat : ACTION.nat;
      const { addresses, ports } = target.range;
      words[at + 1] = ports?.from ?? -1;
      words[at + 2] = addresses === undefined ? 0 : 1;
      if (addresses !== undefined) words.set(wordsOf(addresses.from), at + 3);
      return;
    }
    case 'snat':
    case 'masquerade':
    case 'redirect':
      words[at] = ACTION.nat;
      return;
    default:
      words[at] = ACTION.undecided;
  }
}
