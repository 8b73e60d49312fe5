/** Hosts outside the cluster that are named by their address only. */
import { InputError } from '../../sim/input-error.ts';
import { type IpAddress, tryParseIpAddress } from '../../wire/ip-address.ts';

const EXTERNAL = 'external/';

/** The addresses in the labels of the form `external/ADDRESS`. Throws InputError for what is no address. */
export function strangersIn(labels: readonly string[]): IpAddress[] {
  return labels
    .filter((label) => label.startsWith(EXTERNAL))
    .map((label) => {
      const address = tryParseIpAddress(label.slice(EXTERNAL.length));
      if (address === undefined) throw new InputError(`'${label}': expected external/ADDRESS`);
      return address;
    });
}
