/** Addresses of type LOCAL as lookups search them. */
import { compareAddress, familyOf, type IpFamily } from '../../wire/ip-address.ts';
import { type IpPrefix, lastAddress } from '../../wire/ip-prefix.ts';
import { wordsOf } from './encode-tests.ts';

/** First and last words of each prefix of `family`, ascending, overlapping ones joined. */
export function localRanges(locals: readonly IpPrefix[], family: IpFamily): Uint32Array {
  const ranges = locals
    .filter(({ address }) => familyOf(address) === family)
    .map((prefix) => ({ first: prefix.address, last: lastAddress(prefix) }))
    .sort((a, b) => compareAddress(a.first, b.first));
  const joined: { first: IpPrefix['address']; last: IpPrefix['address'] }[] = [];
  for (const range of ranges) {
    const previous = joined.at(-1);
    if (previous !== undefined && compareAddress(range.first, previous.last) <= 0) {
      if (compareAddress(range.last, previous.last) > 0) previous.last = range.last;
    } else joined.push({ ...range });
  }
  return Uint32Array.from(joined.flatMap(({ first, last }) => [...wordsOf(first), ...wordsOf(last)]));
}
