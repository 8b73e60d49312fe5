/** The address lists of Services and configurations mix both families; each proxier takes its own part. */
import { tryParseSloppyIp, tryParseSloppyPrefix } from '../kube/sloppy-address.ts';
import { familyOf, type IpAddress, type IpFamily } from '../wire/ip-address.ts';
import type { IpPrefix } from '../wire/ip-prefix.ts';

/** The addresses of `family` among `texts`, in their order, duplicates kept; what does not parse is left out. */
export function addressesOfFamily(texts: readonly string[], family: IpFamily): readonly IpAddress[] {
  return texts.flatMap((text) => {
    const address = tryParseSloppyIp(text);
    return address !== undefined && familyOf(address) === family ? [address] : [];
  });
}

/**
 * The networks of `family` among `texts`, in their order, duplicates kept; blanks around a text and host
 * bits do not matter, what does not parse is left out.
 */
export function prefixesOfFamily(texts: readonly string[], family: IpFamily): readonly IpPrefix[] {
  return texts.flatMap((text) => {
    const prefix = tryParseSloppyPrefix(text.trim());
    return prefix !== undefined && familyOf(prefix.address) === family ? [prefix] : [];
  });
}
