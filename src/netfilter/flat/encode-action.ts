/** A rule's target as the words of its action. */

import { sameAddress } from '../../wire/ip-address.ts';
import type { NatTarget, Target } from '../target.ts';
import { wordsOf } from './encode-tests.ts';
import { ACTION } from './layout.ts';

/** A DNAT to one address, one port, or both: nothing is left to choose. */
function dnatAction({ range }: NatTarget): readonly number[] {
  const { addresses, ports } = range;
  const fixedAddress = addresses === undefined || sameAddress(addresses.from, addresses.to);
  const fixedPort = ports === undefined || (ports.base === undefined && ports.from === ports.to);
  if (!fixedAddress || !fixedPort) return [ACTION.nat];
  const address = addresses === undefined ? [0] : [1, ...wordsOf(addresses.from)];
  return [ACTION.dnat, ports?.from ?? -1, ...address];
}

/** The words of `target`'s action; `chainNumber` numbers the chains that it may lead to. */
export function actionWords(target: Target, chainNumber: (chain: string) => number): readonly number[] {
  switch (target.kind) {
    // The last two change bytes that no column holds and no rule looks at.
    case 'none':
    case 'log':
    case 'tcpmss':
    case 'checksum':
      return [ACTION.next];
    case 'jump':
    case 'goto':
      return [ACTION[target.kind], chainNumber(target.chain)];
    case 'return':
    case 'accept':
    case 'drop':
    case 'reject':
      return [ACTION[target.kind]];
    case 'mark':
      return [ACTION.mark, ~target.mask, target.value | 0];
    case 'dnat':
      return dnatAction(target);
    case 'snat':
    case 'masquerade':
    case 'redirect':
      return [ACTION.nat];
    default:
      return [ACTION.undecided];
  }
}
