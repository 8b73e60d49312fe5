/** Neighbours as `ip neigh` prints them (iproute2's ipneigh.c). */
import type { NeighbourListing } from '../../../netstack/neighbour/entry.ts';
import { familyOf, formatIpAddress, type IpFamily } from '../../../wire/ip-address.ts';
import { formatMac } from '../../../wire/mac.ts';

export interface NeighbourTextOptions {
  readonly family: IpFamily | undefined;
  /** The device that the list is limited to: it is not repeated. */
  readonly device?: string;
  /** `ip -s neigh`. */
  readonly statistics: boolean;
}

/** Entries that `ip neigh` leaves out unless their state is asked for. */
const HIDDEN: ReadonlySet<NeighbourListing['state']> = new Set(['NONE', 'NOARP']);

/** One line, without its newline. */
export function formatNeighbour(entry: NeighbourListing, options: NeighbourTextOptions): string {
  const { address, device, mac, state, router, used, confirmed, updated } = entry;
  const seconds = [used, confirmed, updated].map(Math.floor).join('/');
  return [
    `${formatIpAddress(address)} `,
    options.device === undefined ? `dev ${device} ` : '',
    mac === undefined ? '' : `lladdr ${formatMac(mac)} `,
    router ? 'router ' : '',
    options.statistics ? ` used ${seconds} ` : '',
    `${state} `,
  ].join('');
}

/** The whole output for `entries`: IPv4 first, as the kernel lists its tables. */
export function formatNeighbours(
  entries: readonly NeighbourListing[],
  options: NeighbourTextOptions,
): string {
  const families: readonly IpFamily[] = options.family === undefined ? ['ipv4', 'ipv6'] : [options.family];
  const shown = families.flatMap((family) =>
    entries.filter(
      (entry) =>
        familyOf(entry.address) === family &&
        !HIDDEN.has(entry.state) &&
        (options.device === undefined || options.device === entry.device),
    ),
  );
  return shown.map((entry) => `${formatNeighbour(entry, options)}\n`).join('');
}
